package embed

import (
	"context"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/wire"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

// Endpoint asks a server for vectors: an OpenAI-compatible one (POST <URL>/embeddings; Ollama, vLLM and llama.cpp have the
// same), or the Hugging Face router's feature extraction, which its address tells.
type Endpoint struct {
	server  *wire.Server
	model   string
	hugging bool

	mu   sync.Mutex
	dims int
}

// EndpointConfig says where the server is and what to ask it for.
type EndpointConfig struct {
	URL     string
	Model   string // of an OpenAI-compatible server
	Key     string // sent as Bearer
	Timeout time.Duration
	Client  *outbound.Client // nil: one that may speak to URL only
}

// huggingPath ends the address of Hugging Face's feature extraction.
const huggingPath = "/pipeline/feature-extraction"

// NewEndpoint returns an Endpoint, or fault.Invalid for an address or model that is none. It does not connect.
func NewEndpoint(c EndpointConfig) (*Endpoint, error) {
	hugging := strings.HasSuffix(strings.TrimRight(c.URL, "/"), huggingPath)
	if c.Model == "" && !hugging {
		return nil, fault.Invalid("assistant.embed_model: which model shall the server embed with?")
	}
	header := http.Header{}
	if c.Key != "" {
		header.Set("Authorization", "Bearer "+c.Key)
	}
	server, err := wire.New(wire.Config{
		Name: "the server of embeddings", URL: strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/embeddings"), Header: header, Timeout: c.Timeout, Client: c.Client,
	})
	if err != nil {
		return nil, err
	}
	return &Endpoint{server: server, model: c.Model, hugging: hugging}, nil
}

// Name is the server's host and the model.
func (e *Endpoint) Name() string {
	if e.hugging {
		return "huggingface:" + e.server.Host()
	}
	return e.server.Host() + "/" + e.model
}

// Dimensions is known once something was embedded, 0 before.
func (e *Endpoint) Dimensions() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dims
}

// batch is how many texts are sent at once.
const batch = 32

// Embed returns one vector a text.
func (e *Endpoint) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	for begin := 0; begin < len(texts); begin += batch {
		some := texts[begin:min(begin+batch, len(texts))]
		ask := e.openAI
		if e.hugging {
			ask = e.huggingFace
		}
		list, err := ask(ctx, some)
		if err != nil {
			return nil, err
		}
		if err := e.check(list, len(some)); err != nil {
			return nil, err
		}
		vectors = append(vectors, list...)
	}
	return vectors, nil
}

func (e *Endpoint) openAI(ctx context.Context, texts []string) ([][]float32, error) {
	var answer struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	question := map[string]any{"model": e.model, "input": cut(texts), "encoding_format": "float"}
	if err := e.server.Call(ctx, http.MethodPost, "embeddings", question, &answer); err != nil {
		return nil, err
	}
	list := make([][]float32, len(texts))
	for _, d := range answer.Data {
		if d.Index < 0 || d.Index >= len(texts) {
			return nil, fault.Unavailable("the server of embeddings answers for text %d of %d", d.Index, len(texts))
		}
		list[d.Index] = d.Embedding
	}
	return list, nil
}

func (e *Endpoint) huggingFace(ctx context.Context, texts []string) (list [][]float32, err error) {
	err = e.server.Call(ctx, http.MethodPost, "", map[string]any{"inputs": cut(texts), "normalize": true}, &list)
	return list, err
}

func cut(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = short(t)
	}
	return out
}

// check makes sure that each text has a vector and that all have the same dimensions, now and later.
func (e *Endpoint) check(list [][]float32, want int) error {
	if len(list) != want {
		return fault.Unavailable("the server of embeddings gives %d vectors for %d texts", len(list), want)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, v := range list {
		if e.dims == 0 {
			e.dims = len(v)
		}
		if len(v) != e.dims || len(v) == 0 || len(v) > 8192 {
			return fault.Unavailable("the server of embeddings gives vectors of %d dimensions, before of %d", len(v), e.dims)
		}
		for _, x := range v {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fault.Unavailable("the server of embeddings gives a vector that is no number")
			}
		}
		list[i] = unit(v)
	}
	return nil
}
