// Package embed turns texts into vectors that are near each other where the texts mean the same: by an ONNX model on this
// machine, or by an endpoint. It never sends a text to an endpoint that is not on this machine unless its caller says that
// an administrator accepted that.
package embed

import "context"

// Embedder makes vectors. Safe for concurrent use.
type Embedder interface {
	// Name tells vectors of different models apart; vectors of one name can be compared.
	Name() string
	Dimensions() int
	// Embed returns one vector of length 1 (by Euclid) a text.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}
