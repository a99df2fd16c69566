// Package fault gives errors a kind, so that whoever must act on one (exit code, HTTP status) can tell the user's
// mistake from ours. It never formats for a person's screen and never logs.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what an error means to the caller. The zero Kind is Internal: what nobody classified is our fault.
type Kind string

// The kinds. They become exit codes in cli and HTTP statuses in api, each in one place.
const (
	KindInternal    Kind = ""
	KindNotFound    Kind = "not_found"
	KindInvalid     Kind = "invalid"
	KindConflict    Kind = "conflict"
	KindDenied      Kind = "denied"
	KindUnavailable Kind = "unavailable"
)

type fault struct {
	kind   Kind
	option string // the option or field that is wrong, "" is not known
	field  string // the same of a request, where the text stands for itself
	err    error
}

// Error names an option as it is typed on a command line; FieldOf is for those who say it otherwise.
func (f *fault) Error() string {
	if f.option != "" {
		return "--" + f.option + f.err.Error()
	}
	return f.err.Error()
}

func (f *fault) Unwrap() error { return f.err }

// NotFound reports that a thing the caller named does not exist. The arguments are fmt.Errorf's; %w keeps the cause.
func NotFound(format string, args ...any) error { return newf(KindNotFound, format, args) }

// Invalid reports input that cannot be used. The text names the file, line or field.
func Invalid(format string, args ...any) error { return newf(KindInvalid, format, args) }

// InvalidOption is Invalid of an option that the caller chose: a flag of the command ("min-cvss"), which is the field
// min_cvss of a request. The text begins with what follows the name: " 11: want 0 to 10" or ": want a day".
func InvalidOption(option, format string, args ...any) error {
	return &fault{kind: KindInvalid, option: option, err: fmt.Errorf(format, args...)}
}

// At says which field of a request an error is about that names no option: an argument of the command. Its kind and text
// stay as they are, and so does what is nil or has a field already.
func At(field string, err error) error {
	if err == nil {
		return nil
	}
	if known, _ := FieldOf(err); known != "" {
		return err
	}
	return &fault{kind: KindOf(err), field: field, err: err}
}

// FieldOf returns the option or field that an error is about, "" when none is known, and the text without its name.
func FieldOf(err error) (option, text string) {
	var f *fault
	switch {
	case !errors.As(err, &f) || f.option == "" && f.field == "":
		return "", err.Error()
	case f.option == "":
		return f.field, err.Error()
	}
	return f.option, strings.TrimLeft(f.err.Error(), ": ")
}

// Conflict reports that another change or process stands in the way.
func Conflict(format string, args ...any) error { return newf(KindConflict, format, args) }

// Denied reports something the caller may not do.
func Denied(format string, args ...any) error { return newf(KindDenied, format, args) }

// Unavailable reports that something outside of us (a tool, a server) is missing or does not answer.
func Unavailable(format string, args ...any) error { return newf(KindUnavailable, format, args) }

func newf(kind Kind, format string, args []any) error {
	return &fault{kind: kind, err: fmt.Errorf(format, args...)}
}

// KindOf returns the outermost kind in err's chain, KindInternal if there is none (also for nil).
func KindOf(err error) Kind {
	var f *fault
	if errors.As(err, &f) {
		return f.kind
	}
	return KindInternal
}
