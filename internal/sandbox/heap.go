package sandbox

// earliest is a heap of things that have an order, the first one on top. It implements heap.Interface.
type earliest[T interface{ Before(other T) bool }] []T

// Len implements heap.Interface.
func (l earliest[T]) Len() int { return len(l) }

// Less implements heap.Interface.
func (l earliest[T]) Less(i, j int) bool { return l[i].Before(l[j]) }

// Swap implements heap.Interface.
func (l earliest[T]) Swap(i, j int) { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *earliest[T]) Push(x any) {
	if one, ok := x.(T); ok {
		*l = append(*l, one)
	}
}

// Pop implements heap.Interface.
func (l *earliest[T]) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
