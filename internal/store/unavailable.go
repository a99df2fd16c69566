package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// outage is a database that is gone, full or busy. Its text is fit for everybody; the cause may name hosts and users.
type outage struct {
	reason string
	cause  error
}

func (o *outage) Error() string { return o.reason }
func (o *outage) Unwrap() error { return o.cause }

// unavailable gives an error of a database its kind: what may be gone the next time somebody asks is fault.Unavailable.
// Everything else, and what has a kind already, stays as it is; so does the end of ctx itself.
func unavailable(ctx context.Context, engine Engine, err error) error {
	if err == nil || fault.KindOf(err) != fault.KindInternal || ctx.Err() != nil {
		return err
	}
	reason := diskReason(err)
	if reason == "" && engine == Postgres {
		reason = postgresReason(err)
	}
	if reason == "" && engine == SQLite {
		reason = sqliteReason(err)
	}
	if reason == "" {
		return err
	}
	return fault.Unavailable("%w", &outage{reason, err})
}

// diskReason is what the operating system says of a file.
func diskReason(err error) string { return machine.DiskTrouble(err) }

// sqliteReasons are primary result codes (sqlite.org/rescode.html); the extended ones have them in their lowest byte.
var sqliteReasons = map[int]string{
	sqlite3.SQLITE_FULL:     "there is no room left on the disk",
	sqlite3.SQLITE_IOERR:    "the disk does not work, or is full",
	sqlite3.SQLITE_BUSY:     "another process is writing to the database for too long",
	sqlite3.SQLITE_LOCKED:   "the database is locked",
	sqlite3.SQLITE_READONLY: "the database can only be read",
	sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
	sqlite3.SQLITE_NOMEM:    "there is not enough memory",
}

func sqliteReason(err error) string {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return ""
	}
	return sqliteReasons[e.Code()&0xff]
}

// postgresReason: PostgreSQL's error codes (appendix A), and connections that could not be made or broke.
func postgresReason(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return codeReason(refused.Code)
	}
	var noConnection *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &noConnection):
		return "PostgreSQL cannot be reached" + because(err)
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn), errors.Is(err, pgconn.ErrConnClosed), pgconn.SafeToRetry(err):
		return "the connection to PostgreSQL broke" + because(err)
	}
	return ""
}

func codeReason(code string) string {
	switch {
	case code == "53100":
		return "PostgreSQL has no room left on its disk"
	case code == "53300":
		return "PostgreSQL has too many connections"
	case strings.HasPrefix(code, "53"):
		return "PostgreSQL has not enough memory"
	case code == "57P01", code == "57P02", code == "57P03":
		return "PostgreSQL is stopping or starting"
	case strings.HasPrefix(code, "08"), code == "25P03": // 25P03: the transaction stood still for too long
		return "the connection to PostgreSQL broke"
	case strings.HasPrefix(code, "58"):
		return "PostgreSQL's disk does not work"
	case code == "25006":
		return "PostgreSQL can only be read: it is a standby"
	case code == "40001", code == "40P01", code == "55P03":
		return "PostgreSQL is busy with other changes to the same data"
	case strings.HasPrefix(code, "28"), code == "3D000":
		return "PostgreSQL does not let us in: look at the user, the password and the name of the database"
	}
	return ""
}

// because is what is harmless of a cause: not the address, which is nobody's business.
func because(err error) string {
	var errno syscall.Errno
	var network net.Error
	var name *net.DNSError
	switch {
	case errors.As(err, &errno):
		return " (" + errno.Error() + ")"
	case errors.As(err, &name):
		return " (its name cannot be resolved)"
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return " (it does not answer)"
	}
	return ""
}
