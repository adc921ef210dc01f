package order

import (
	"slices"
	"strings"

	"gondola/internal/platform"
)

// longestState is how much of a state that is not known is kept: it comes from outside and is shown.
const longestState = 40

// Lifecycle returns the states in which an order moves on, the first one first [doc]. An order skips some of them: a store's own riders
// never pick up, for one [doc]. StateCancelled is not among them: it comes after any [doc].
func Lifecycle() []platform.OrderState {
	return []platform.OrderState{
		platform.StateReceived, platform.StateAccepted, platform.StateReady,
		platform.StateDispatch, platform.StatePickedUp, platform.StateDelivered,
	}
}

// States returns all states that are known: the lifecycle, and cancelled.
func States() []platform.OrderState { return append(Lifecycle(), platform.StateCancelled) }

// Final reports whether nothing is expected after a state. The platform's own pickers end with PICKED_UP [doc], a store's with
// DELIVERED; where both come, DELIVERED is the later one [assumed].
func Final(s platform.OrderState) bool {
	return s == platform.StatePickedUp || s == platform.StateDelivered || s == platform.StateCancelled
}

// Known reports whether a state is one that we know what to do with.
func Known(s platform.OrderState) bool { return slices.Contains(States(), s) }

// rank is how far a state is in the lifecycle, from 1; 0 for a state that is not in it.
func rank(s platform.OrderState) int { return slices.Index(Lifecycle(), s) + 1 }

// fold writes a state in capitals, and cuts one that is too long to be one.
func fold(s platform.OrderState) platform.OrderState {
	text := []rune(strings.ToUpper(strings.TrimSpace(strings.ToValidUTF8(string(s), "?"))))
	return platform.OrderState(text[:min(len(text), longestState)])
}
