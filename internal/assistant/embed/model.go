package embed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/patchscout/patchscout/internal/fault"
)

// The files of a model's folder.
const (
	modelFile     = "model.onnx"
	tokenizerFile = "tokenizer.json"
	configFile    = "config.json"
)

// mostModel is how large a model may be: the largest of the class has 130 MB.
const mostModel = 1 << 30

// model is what is known of a model before it is run.
type model struct {
	name string
	dims int
}

// lookAt reads what a folder says of its model.
func lookAt(dir string) (m model, err error) {
	if _, err := os.Stat(filepath.Join(dir, tokenizerFile)); err != nil {
		return m, lacks(dir, tokenizerFile, err)
	}
	if m.dims, err = dimensions(dir); err != nil {
		return m, err
	}
	f, err := os.Open(filepath.Join(dir, modelFile))
	if err != nil {
		return m, lacks(dir, modelFile, err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(f, mostModel+1))
	switch {
	case err != nil:
		return m, fmt.Errorf("read %s: %w", f.Name(), err)
	case n > mostModel:
		return m, fault.Invalid("%s is larger than %d MB", f.Name(), mostModel>>20)
	}
	m.name = "onnx:" + hex.EncodeToString(sum.Sum(nil)[:8])
	return m, nil
}

func lacks(dir, file string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fault.Invalid("%s has no %s: want %s, %s and %s of a sentence model", dir, file, modelFile, tokenizerFile, configFile)
	}
	return fmt.Errorf("read the model in %s: %w", dir, err)
}

// dimensions reads hidden_size, which config.json of a BERT model has.
func dimensions(dir string) (int, error) {
	path := filepath.Join(dir, configFile)
	f, err := os.Open(path)
	if err != nil {
		return 0, lacks(dir, configFile, err)
	}
	defer f.Close()
	var c struct {
		Hidden int `json:"hidden_size"`
	}
	if err := json.NewDecoder(io.LimitReader(f, 1<<20)).Decode(&c); err != nil {
		return 0, fault.Invalid("%s: %w", path, err)
	}
	if c.Hidden < 1 || c.Hidden > 8192 {
		return 0, fault.Invalid("%s: hidden_size %d, want 1 to 8192", path, c.Hidden)
	}
	return c.Hidden, nil
}

// mostLetters of a text are embedded: a token has at least one, and models of this class take 512 with their two marks.
const mostLetters = 500

func short(text string) string {
	n := 0
	for i := range text {
		if n++; n > mostLetters {
			return text[:i]
		}
	}
	return text
}

// unit gives a vector length 1; one of zeros stays.
func unit(v []float32) []float32 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v
}
