package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/fault"
)

// How much is told of mistakes. A body of 1 MiB can hold a hundred thousand of them, and each would be told with what it
// is about.
const (
	maxMistakes = 20
	maxMistaken = 256 // bytes of a value
)

func init() { //nolint:gochecknoinits // huma keeps it in a variable of its package, which is read while servers run
	huma.NewErrorWithContext = refusal
}

// refusal is what huma says of a request that does not fit its operation.
func refusal(_ huma.Context, status int, text string, errs ...error) huma.StatusError {
	if status == http.StatusInternalServerError && text == "cannot read request body" {
		return huma.Error400BadRequest("the body was cut short, or is not sent as its headers say")
	}
	more := len(errs) - maxMistakes
	if more > 0 {
		errs = errs[:maxMistakes]
	}
	for i, err := range errs {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			errs[i] = brief(*detail)
		}
	}
	if more > 0 {
		text = fmt.Sprintf("%s; %d more mistakes are not listed", text, more)
	}
	return huma.NewError(status, text, errs...)
}

// placed are errors of jsonFormat that know their field.
var placed = regexp.MustCompile(`^at (body\.[^: ]+): (.*)$`)

// brief tells where a mistake is and only a short value with it, never a whole body: it may hold a secret.
func brief(d huma.ErrorDetail) *huma.ErrorDetail {
	if d.Location == "body" {
		d.Value = nil
	}
	if found := placed.FindStringSubmatch(d.Message); found != nil {
		d.Location, d.Message = found[1], found[2]
	}
	switch v := d.Value.(type) {
	case string:
		if len(v) > maxMistaken {
			d.Value = nil
		}
	case map[string]any, []any:
		d.Value = nil
	case float64: // JSON has no word for what an address may hold
		if math.IsInf(v, 0) || math.IsNaN(v) {
			d.Value = fmt.Sprint(v)
		}
	}
	if d.Location == "" {
		d.Location = "body"
	}
	if len(d.Location) > maxMistaken {
		d.Location = fmt.Sprintf("%.*s…", maxMistaken, d.Location)
	}
	if len(d.Message) > 4*maxMistaken {
		d.Message = fmt.Sprintf("%.*s…", 4*maxMistaken, d.Message)
	}
	return &d
}

// checkText refuses what is no text in an address: databases keep neither NUL nor broken UTF-8.
func checkText(path string, query url.Values) error {
	if !isText(path) {
		return fault.InvalidOption("path", ": it has a NUL or is no UTF-8")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !isText(name) || slices.ContainsFunc(query[name], func(v string) bool { return !isText(v) }) {
			return fault.InvalidOption("query."+strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "?"), ": it has a NUL or is no UTF-8")
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// plainJSON says what is wrong with JSON without Go's words for it.
func plainJSON(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Errorf("at body.%s: %s does not fit there", kind.Field, kind.Value)
	}
	if errors.As(err, &kind) {
		return fmt.Errorf("%s does not fit there", kind.Value)
	}
	return err
}
