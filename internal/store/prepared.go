package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

// maxPrepared bounds what a connection keeps. The statements are constants of this package, some four hundred.
const maxPrepared = 500

// openPool opens a pool of connections that keep their statements prepared: understanding one costs SQLite more than doing it, and the same
// ones come all day.
func openPool(dsn string) (*sql.DB, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{base}), nil
}

type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	base, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := base.(driverConn)
	if !ok {
		return nil, errors.Join(errors.New("the database driver is another one than this program was made for"), base.Close())
	}
	return &conn{driverConn: whole, idle: map[string]stmt{}}, nil
}

// driverConn is what a connection of the driver can do.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// stmt is what a statement of the driver can do.
type stmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// conn is a connection that keeps its statements.
type conn struct {
	driverConn
	idle map[string]stmt // by their text: those that nobody is using
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	return res, errors.Join(err, c.giveBack(query, s))
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	found, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, c.giveBack(query, s))
	}
	return &rows{found, func() error { return c.giveBack(query, s) }}, nil
}

// take returns a statement that nobody else is using.
func (c *conn) take(ctx context.Context, query string) (stmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.(stmt), nil //nolint:forcetypeassert // it is one, as every statement of the driver
}

// giveBack keeps a statement for the next time.
func (c *conn) giveBack(query string, s stmt) error {
	if _, another := c.idle[query]; another || len(c.idle) >= maxPrepared {
		return s.Close()
	}
	c.idle[query] = s
	return nil
}

// Close implements driver.Conn.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.Close())
	}
	c.idle = nil
	return errors.Join(append(errs, c.driverConn.Close())...)
}

// rows are the rows of a statement that is given back after them.
type rows struct {
	driver.Rows
	done func() error
}

// Close implements driver.Rows.
func (r *rows) Close() error { return errors.Join(r.Rows.Close(), r.done()) }
