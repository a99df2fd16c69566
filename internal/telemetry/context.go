package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

type contextKey struct{}

// With returns a context whose log lines carry the attributes, after those that ctx carries already. The logger must be
// called with the context: slog's InfoContext and its like.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	carried, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return context.WithValue(ctx, contextKey{}, append(slices.Clip(carried), attrs...))
}

// WithRequest, WithScan and WithJob are the three ids that lines of a server are looked up by.
func WithRequest(ctx context.Context, id string) context.Context {
	return With(ctx, slog.String("request_id", id))
}

// WithScan as WithRequest.
func WithScan(ctx context.Context, id int64) context.Context {
	return With(ctx, slog.Int64("scan_id", id))
}

// WithJob as WithRequest.
func WithJob(ctx context.Context, id int64, kind string) context.Context {
	return With(ctx, slog.Int64("job_id", id), slog.String("job", kind))
}

// RequestID is the id of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	carried, _ := ctx.Value(contextKey{}).([]slog.Attr)
	for _, a := range carried {
		if a.Key == "request_id" {
			return a.Value.String()
		}
	}
	return ""
}

// contextual adds what the context carries to each record.
type contextual struct{ slog.Handler }

func (c contextual) Handle(ctx context.Context, r slog.Record) error {
	carried, _ := ctx.Value(contextKey{}).([]slog.Attr)
	span := trace.SpanContextFromContext(ctx)
	if len(carried) == 0 && !span.IsValid() {
		return c.Handler.Handle(ctx, r)
	}
	r = r.Clone() // its attributes may be shared
	r.AddAttrs(carried...)
	if span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return c.Handler.Handle(ctx, r)
}

func (c contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextual{c.Handler.WithAttrs(attrs)}
}

func (c contextual) WithGroup(name string) slog.Handler { return contextual{c.Handler.WithGroup(name)} }

// secretKeys are names of attributes whose values never reach a log, whoever writes them there by mistake.
var secretKeys = []string{"authorization", "cookie", "password", "passwd", "secret", "token", "api_key", "apikey"}

// isSecret says whether an attribute of that name is kept out of the log: "token" and "api_token" are, "token_id" is not.
func isSecret(key string) bool {
	key = strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	return slices.ContainsFunc(secretKeys, func(s string) bool { return key == s || strings.HasSuffix(key, "_"+s) })
}
