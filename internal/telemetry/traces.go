package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TraceOptions say where traces go.
type TraceOptions struct {
	Endpoint string  // URL of a collector that takes OTLP over HTTP; "" traces nothing
	Sample   float64 // the part of what begins here that is traced, 0 to 1
	Version  string
	Client   *http.Client // sends them; nil is Go's own
}

// tracing is what Span and TraceRequests use; nil until OpenTraces, so that without traces they cost one load.
var tracing atomic.Pointer[sdktrace.TracerProvider]

// OpenTraces begins to trace and returns a function that sends what is left and ends it. A collector that does not
// answer loses traces, never requests.
func OpenTraces(ctx context.Context, o TraceOptions) (stop func(context.Context) error, err error) {
	if o.Endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(withTracesPath(o.Endpoint))}
	if o.Client != nil {
		options = append(options, otlptracehttp.WithHTTPClient(o.Client))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Sample))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "patchscout"), attribute.String("service.version", o.Version))),
	)
	tracing.Store(provider)
	return func(ctx context.Context) error {
		tracing.CompareAndSwap(provider, nil)
		return provider.Shutdown(ctx)
	}, nil
}

// withTracesPath adds OTLP's own path to a URL that has none.
func withTracesPath(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Path != "" && u.Path != "/" {
		return endpoint
	}
	return u.JoinPath("v1", "traces").String()
}

// Span begins a span below the one in ctx; end ends it, with the error that its work came to or nil. attrs are name,
// value, name, value, of which a name is a text.
func Span(ctx context.Context, name string, attrs ...any) (_ context.Context, end func(error)) {
	provider := tracing.Load()
	if provider == nil {
		return ctx, func(error) {}
	}
	ctx, span := provider.Tracer("patchscout").Start(ctx, name, trace.WithAttributes(attributes(attrs)...))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

func attributes(pairs []any) (out []attribute.KeyValue) {
	for i := 0; i+1 < len(pairs); i += 2 {
		switch value := pairs[i+1].(type) {
		case int64:
			out = append(out, attribute.Int64(fmt.Sprint(pairs[i]), value))
		case int:
			out = append(out, attribute.Int(fmt.Sprint(pairs[i]), value))
		default:
			out = append(out, attribute.String(fmt.Sprint(pairs[i]), fmt.Sprint(value)))
		}
	}
	return out
}

// TraceRequests makes a span of each request, where traces are on when it is called.
func TraceRequests(next http.Handler) http.Handler {
	provider := tracing.Load()
	if provider == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request", otelhttp.WithTracerProvider(provider),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method }))
}

// Route names the request's span after its route pattern, which is known when it has been answered.
func Route(ctx context.Context, method, route string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
}
