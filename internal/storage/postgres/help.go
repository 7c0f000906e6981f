package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// This file has what helps replicas of one database: none of it decides
// anything, and everything holds without it. It needs sessions, so a pooler in
// transaction mode may not stand between.

const (
	// channelGone is where it is told which data keys were destroyed.
	channelGone = "counterfoil_keys_gone"
	sqlTellGone = `SELECT pg_notify('` + channelGone + `', $1)`
	sqlListen   = `LISTEN ` + channelGone
	sqlLease    = `SELECT pg_try_advisory_lock(hashtextextended('counterfoil.lease ' || $1::text, 0))`

	// maxTold bounds the keys of one notice, whose payload has to be shorter
	// than 8,000 bytes. More are told by the tenant alone.
	maxTold = 100
	// listenPause is between two attempts to listen.
	listenPause = time.Second
)

// tellGone has the commit tell other replicas which keys it destroyed.
func (b *batch) tellGone(p *pipeline, keys []string) {
	if len(keys) == 0 {
		return
	}
	if len(keys) > maxTold {
		keys = nil
	}
	p.exec(sqlTellGone, strings.Join(append([]string{b.tenant}, keys...), "\n"))
}

// Listen calls gone for data keys that any replica destroys, until the context
// ends: all keys of the tenant are meant where none is named, and those of all
// tenants where there is no tenant either, which is so each time the connection
// was made anew. What is told has been committed.
func Listen(ctx context.Context, directDSN string, gone func(tenant string, keys []string)) {
	for ctx.Err() == nil {
		_ = listen(ctx, directDSN, gone) // it is tried again, whatever it was
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
}

func listen(ctx context.Context, dsn string, gone func(tenant string, keys []string)) error {
	conn, err := direct(ctx, dsn)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	if _, err := conn.Exec(ctx, sqlListen); err != nil {
		return &fault{err}
	}
	gone("", nil)
	for {
		told, err := conn.WaitForNotification(ctx)
		if err != nil {
			return &fault{err}
		}
		words := strings.Split(told.Payload, "\n")
		gone(words[0], words[1:])
	}
}

// TryLease takes the lease of a name, if nobody has it, and keeps it until it
// is released or this process ends. A lease that is lost with its connection is
// not noticed, so it saves work and guards nothing.
func TryLease(ctx context.Context, directDSN, name string) (release func(), held bool, err error) {
	conn, err := direct(ctx, directDSN)
	if err != nil {
		return nil, false, err
	}
	if err := conn.QueryRow(ctx, sqlLease, name).Scan(&held); err != nil {
		hangUp(conn)
		return nil, false, fmt.Errorf("postgres: lease: %w", &fault{err})
	}
	if !held {
		hangUp(conn)
		return nil, false, nil
	}
	return func() { hangUp(conn) }, true, nil
}

func direct(ctx context.Context, dsn string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: the direct address: %w", errAddress)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: connect directly: %w", &fault{err})
	}
	return conn, nil
}

// hangUp ends a session, and with it what it held.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
