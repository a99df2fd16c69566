//go:build no_onnx

package embed

import (
	"context"

	"github.com/patchscout/patchscout/internal/fault"
)

// ONNX is left out of this build.
type ONNX struct{}

// OpenONNX says that models cannot be run.
func OpenONNX(string) (*ONNX, error) {
	return nil, errNone
}

var errNone = fault.Unavailable("this build runs no models itself (no_onnx): set assistant.embed_url instead of assistant.embed_dir")

// Name is empty.
func (*ONNX) Name() string { return "" }

// Dimensions is 0.
func (*ONNX) Dimensions() int { return 0 }

// Embed is never called.
func (*ONNX) Embed(context.Context, []string) ([][]float32, error) { return nil, errNone }

// Close does nothing.
func (*ONNX) Close() error { return nil }
