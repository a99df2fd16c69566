package embed

import (
	"context"
	"fmt"
	"sync"

	"github.com/knights-analytics/hugot"
	"github.com/knights-analytics/hugot/pipelines"

	"github.com/patchscout/patchscout/internal/fault"
)

// ONNX runs a sentence model of the MiniLM class on this machine, without anything but Go. It takes some 130 ms for a
// question and one core; texts are embedded one after the other. The model is read at its first use.
type ONNX struct {
	dir  string
	name string
	dims int

	mu       sync.Mutex
	session  *hugot.Session
	pipeline *pipelines.FeatureExtractionPipeline
}

// OpenONNX looks at the model of a folder. fault.Invalid: a file is missing, or is not of such a model.
func OpenONNX(dir string) (*ONNX, error) {
	m, err := lookAt(dir)
	if err != nil {
		return nil, err
	}
	return &ONNX{dir: dir, name: m.name, dims: m.dims}, nil
}

// Name is onnx: and the beginning of the model's SHA-256.
func (o *ONNX) Name() string { return o.name }

// Dimensions is as the model's configuration says.
func (o *ONNX) Dimensions() int { return o.dims }

// Embed returns one vector a text.
func (o *ONNX) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { // a model that is not what it says may break what runs it
		if r := recover(); r != nil {
			err = fault.Unavailable("the model in %s broke: %v", o.dir, r)
		}
	}()
	if err := o.load(); err != nil {
		return nil, err
	}
	for _, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, err := o.pipeline.RunPipeline(ctx, []string{short(text)}) // texts of one length waste nothing on padding
		if err != nil {
			return nil, fault.Unavailable("embed by the model in %s: %w", o.dir, err)
		}
		if len(out.Embeddings) != 1 || len(out.Embeddings[0]) != o.dims {
			return nil, fault.Unavailable("the model in %s gives other vectors than its config.json says", o.dir)
		}
		vectors = append(vectors, unit(out.Embeddings[0]))
	}
	return vectors, nil
}

func (o *ONNX) load() error {
	if o.pipeline != nil {
		return nil
	}
	session, err := hugot.NewGoSession(context.Background())
	if err != nil {
		return fmt.Errorf("begin a session for the model in %s: %w", o.dir, err)
	}
	o.pipeline, err = hugot.NewPipeline(session, hugot.FeatureExtractionConfig{ModelPath: o.dir, OnnxFilename: modelFile, Name: "embed"})
	if err != nil {
		_ = session.Destroy()
		return fault.Unavailable("read the model in %s: %w", o.dir, err)
	}
	o.session = session
	return nil
}

// Close gives the memory of the model back. It may be used again.
func (o *ONNX) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.session == nil {
		return nil
	}
	err := o.session.Destroy()
	o.session, o.pipeline = nil, nil
	return err
}
