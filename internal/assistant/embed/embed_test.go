package embed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/embed"
	"github.com/patchscout/patchscout/internal/assistant/peertest"
	"github.com/patchscout/patchscout/internal/fault"
)

func cosine(a, b []float32) (c float64) {
	for i := range a {
		c += float64(a[i]) * float64(b[i])
	}
	return c
}

func TestMiniLMFindsWhatMeansTheSame(t *testing.T) {
	m, err := embed.OpenONNX(peertest.MiniLM(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	texts := []string{
		"what should I fix first?", "which vulnerability is the most urgent to patch?", "the colour of the office walls",
		strings.Repeat("漏洞 ", 2000), "",
	}
	if testing.Short() {
		texts = texts[:3]
	}
	v, err := m.Embed(context.Background(), texts)
	if err != nil || len(v) != len(texts) {
		t.Fatalf("%d vectors, %v", len(v), err)
	}
	if m.Dimensions() != 384 || !strings.HasPrefix(m.Name(), "onnx:") {
		t.Errorf("%s of %d dimensions", m.Name(), m.Dimensions())
	}
	for i := range v {
		if length := cosine(v[i], v[i]); math.Abs(length-1) > 1e-4 {
			t.Errorf("vector %d has length %g", i, math.Sqrt(length))
		}
	}
	if near, far := cosine(v[0], v[1]), cosine(v[0], v[2]); near < far+0.2 {
		t.Errorf("what means the same is at %.2f, what does not at %.2f", near, far)
	}
	// The first numbers that onnxruntime gives for the same model and text.
	for i, want := range []float64{0.00200989, -0.01672537, 0.06630398} {
		if math.Abs(float64(v[0][i])-want) > 1e-4 {
			t.Errorf("dimension %d is %g, want %g", i, v[0][i], want)
		}
	}
}

func TestFolderWithoutAModelIsTold(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"tokenizer.json", "config.json", "model.onnx"} {
		_, err := embed.OpenONNX(dir)
		if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), file) {
			t.Errorf("without %s: %v", file, err)
		}
		content := `{}`
		if file == "config.json" {
			content = `{"hidden_size": 384}`
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := embed.OpenONNX(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Embed(context.Background(), []string{"a"}); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("a model that is none: %v", err)
	}
}

// server answers requests for embeddings with vectors that depend on the texts.
func server(t *testing.T, answer func(w http.ResponseWriter, texts []string, path, key string)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var question struct {
			Model  string   `json:"model"`
			Input  []string `json:"input"`
			Inputs []string `json:"inputs"`
		}
		if err := json.Unmarshal(raw, &question); err != nil {
			t.Error(err)
		}
		answer(w, append(question.Input, question.Inputs...), r.URL.Path, r.Header.Get("Authorization"))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func endpoint(t *testing.T, url string) *embed.Endpoint {
	t.Helper()
	e, err := embed.NewEndpoint(embed.EndpointConfig{URL: url, Model: "all-minilm", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOpenAIsFormat(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, texts []string, path, key string) {
		if path != "/v1/embeddings" || key != "Bearer k" || len(texts) > 32 {
			t.Errorf("%s with %q asks for %d texts", path, key, len(texts))
		}
		var data []string
		for i, text := range texts { // out of order, as the standard allows
			data = append([]string{fmt.Sprintf(`{"index":%d,"embedding":[%d,4]}`, i, len(text))}, data...)
		}
		fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(data, ","))
	})
	texts := make([]string, 70)
	for i := range texts {
		texts[i] = strings.Repeat("x", 3+i%2)
	}
	v, err := endpoint(t, url+"/v1").Embed(context.Background(), texts)
	if err != nil || len(v) != 70 || v[0][0] != 0.6 || v[0][1] != 0.8 || v[69][0] < 0.7 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestHuggingFacesFormat(t *testing.T) {
	path := "/hf-inference/models/sentence-transformers/all-MiniLM-L6-v2/pipeline/feature-extraction"
	url := server(t, func(w http.ResponseWriter, texts []string, at, _ string) {
		if at != path || len(texts) != 2 {
			t.Errorf("%s asks for %d texts", at, len(texts))
		}
		fmt.Fprint(w, `[[3,4],[0,2]]`)
	})
	v, err := endpoint(t, url+path).Embed(context.Background(), []string{"a", "b"})
	if err != nil || len(v) != 2 || v[0][0] != 0.6 || v[1][1] != 1 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestAnswersThatAreNoVectors(t *testing.T) {
	for name, answer := range map[string]string{
		"too few": `{"data":[{"index":0,"embedding":[1,2]}]}`, "another index": `{"data":[{"index":9,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}`,
		"two lengths": `{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}`, "empty": `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`,
		"html": `<p>`, "words": `{"data":[{"index":0,"embedding":["a"]}]}`,
	} {
		url := server(t, func(w http.ResponseWriter, _ []string, _, _ string) { fmt.Fprint(w, answer) })
		if _, err := endpoint(t, url).Embed(context.Background(), []string{"a", "b"}); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	asked := 0
	url := server(t, func(w http.ResponseWriter, _ []string, _, _ string) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, `{"data":[{"index":0,"embedding":[1]}]}`)
	})
	if _, err := endpoint(t, url).Embed(context.Background(), []string{"a"}); err != nil || asked != 3 {
		t.Errorf("after %d tries: %v", asked, err)
	}
	refused := 0
	url = server(t, func(w http.ResponseWriter, _ []string, _, _ string) {
		refused++
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":{"message":"no \u001b[31m key"}}`)
	})
	_, err := endpoint(t, url).Embed(context.Background(), []string{"a"})
	if err == nil || refused != 1 || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "401") {
		t.Errorf("after %d tries: %v", refused, err)
	}
}
