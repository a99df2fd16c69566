package answer

import "context"

type watcher struct{}

// Watch has fn see each draft that is answered with under the context, before anybody words it: quality protocols look at
// what answers rest on this way.
func Watch(ctx context.Context, fn func(*Draft)) context.Context {
	return context.WithValue(ctx, watcher{}, fn)
}

func tellWatcher(ctx context.Context, d *Draft) {
	if fn, ok := ctx.Value(watcher{}).(func(*Draft)); ok {
		fn(d)
	}
}
