package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// matching is what this resource needs of the product.
type matching interface {
	// Match answers lines of CPE names in order, as each is known. An answer must not be kept.
	Match(ctx context.Context, lines []string, answer func(report.MatchLine) error) error
}

type matchInput struct {
	Body struct {
		Lines []string `json:"lines" minItems:"1" maxItems:"10000" doc:"each one host: its CPE names with blanks between, which are each other's platform" example:"[\"cpe:/a:openbsd:openssh:7.2p2\"]"`
	}
}

type streamed struct {
	Body func(huma.Context)
}

// lines is the type of JSON lines.
const jsonLines = "application/x-ndjson"

// writeAt is how much is written at once while more is to come.
const writeAt = 64 << 10

func (s *Server) matchOperations() {
	op := operation{ID: "match-cpes", Timeout: -1, Method: http.MethodPost, Path: "/match", Tag: "match", Role: auth.Viewer, Reads: true, Status: http.StatusOK,
		MaxBody: 16 << 20, Summary: "Which CVEs apply to CPE names",
		Description: "Answers one JSON object a line for each line asked, in order, while the next are being matched: the lines of the command match."}
	handle(s, op, func(ctx context.Context, d Desk, in *matchInput) (*streamed, error) {
		return &streamed{func(c huma.Context) { s.matchLines(ctx, d, in.Body.Lines, c) }}, nil
	})
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[report.MatchAnswer](), true, "")
	s.answersWith(op, http.StatusOK, jsonLines, schema, nil)
}

// brokeOff is the error of a last line that answers no line: those that follow are not answered.
const brokeOff = "internal error: the rest is not answered"

// matchLines writes the answers. The status is sent with the first of them.
func (s *Server) matchLines(ctx context.Context, d matching, lines []string, c huma.Context) {
	var buffer []byte
	begun := false
	flush := func() error {
		if !begun {
			c.SetHeader("Content-Type", jsonLines)
			c.SetStatus(http.StatusOK)
			begun = true
		}
		_, err := c.BodyWriter().Write(buffer)
		buffer = buffer[:0]
		return err
	}
	err := d.Match(ctx, lines, func(answer report.MatchLine) error {
		buffer = answer.AppendJSON(buffer)
		if len(buffer) < writeAt {
			return nil
		}
		return flush()
	})
	switch {
	case err == nil:
		_ = flush() // a client that went away misses nothing
	case !begun:
		s.writeProblem(c, err)
	case ctx.Err() == nil:
		s.opts.Log.ErrorContext(ctx, "matching broke off", "error", err)
		buffer = report.MatchLine{Error: brokeOff}.AppendJSON(buffer)
		_ = flush() // as above
	}
}
