package store

import (
	"context"

	"gondola/internal/order"
)

// ForgetBodies removes the bodies of an order, and returns how many there were. They are taken again when the platform tells of it.
func (s *Store) ForgetBodies(ctx context.Context, id string) (int64, error) {
	done, err := s.write.ExecContext(ctx, `UPDATE order_bodies SET body = x'' WHERE key = $1 AND length(body) > 0`, order.Key(id))
	if err != nil {
		return 0, wrap(err, "forget the bodies of order %q", id)
	}
	return done.RowsAffected()
}
