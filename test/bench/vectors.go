package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/index"
)

// The limits of the vectors' index, over as many as a catalogue and an estate have.
const (
	vectorCount   = 300_000
	vectorDims    = 384
	vectorAsked   = 100
	maxVectorCPU  = 10   // ms a search
	maxVectorPeak = 150  // MB of a process that searches
	minRecall     = 0.98 // of the ten nearest
)

// vectorFile is what the questions and their exact answers are kept in, beside the index.
const vectorFile = "questions.json"

type vectorQuestion struct {
	Vector  []float32
	Nearest []int64
}

// vectorsFound are the figures of the process that searches.
type vectorsFound struct {
	CPU, Wall, Open float64 // ms: a search, a search, opening
	Recall          float64
	Vectors         int
}

// vectors fills an index here and searches it in a process of its own, so that its memory is its alone.
func (b *bench) vectors(ctx context.Context) error {
	fmt.Printf("vectors: %d of %d dimensions, one bit to choose and eight to rank\n", vectorCount, vectorDims)
	dir := filepath.Join(b.work, "vectors")
	begin := time.Now()
	if err := fillVectors(ctx, dir); err != nil {
		return err
	}
	b.note("made, written, and the exact answers found", time.Since(begin).Seconds(), "s")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	u, err := measure(ctx, nil, nil, self, "-vectors-in", dir)
	if err != nil {
		return err
	}
	var f vectorsFound
	if err := json.Unmarshal(u.stdout, &f); err != nil {
		return err
	}
	b.note("opened", f.Open, "ms")
	b.figure("a search, CPU", f.CPU, maxVectorCPU, "ms")
	b.note("a search", f.Wall, "ms")
	b.figure("of the ten nearest missed", 1-f.Recall, 1-minRecall, "")
	b.figure("peak", u.peak/mega, maxVectorPeak, "MB")
	return nil
}

// fillVectors makes vectors as texts have them: a word is a direction, a text the sum of its words, the rare ones more, and
// texts share topics. The questions are some words of a text.
func fillVectors(ctx context.Context, dir string) error {
	x, err := index.OpenLocal(dir, vectorDims)
	if err != nil {
		return err
	}
	defer x.Close()
	r := rand.New(rand.NewPCG(1, 2))
	words := wordVectors(r)
	all := make([]float32, 0, vectorCount*vectorDims)
	questions := make([]vectorQuestion, 0, vectorAsked)
	var batch []index.Item
	for key := range vectorCount {
		text := topicText(r)
		v := vectorOf(words, text)
		all = append(all, v...)
		if key%(vectorCount/vectorAsked) == 0 {
			questions = append(questions, vectorQuestion{Vector: vectorOf(words, text[:8])})
		}
		batch = append(batch, index.Item{Key: int64(key), Vector: v, Hash: uint64(key)})
		if len(batch) == 2000 || key == vectorCount-1 {
			if err := x.Upsert(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	for i := range questions {
		questions[i].Nearest = nearest(all, questions[i].Vector, 10)
	}
	data, err := json.Marshal(questions)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, vectorFile), data, 0o600)
}

const vocabulary = 50_000

// topicText is 40 words: half of one of 2,000 topics, half of anything, the frequent ones more often (Zipf).
func topicText(r *rand.Rand) []int {
	zipf := rand.NewZipf(r, 1.1, 5, vocabulary-1)
	topic := r.IntN(2000)
	text := make([]int, 40)
	for i := range text {
		if text[i] = int(zipf.Uint64()); i%2 == 0 {
			text[i] = (topic*97 + int(zipf.Uint64())%60) % vocabulary
		}
	}
	return text
}

// wordVectors gives each word a direction of its own, as long as the word is rare.
func wordVectors(r *rand.Rand) [][]float32 {
	words := make([][]float32, vocabulary)
	for w := range words {
		words[w] = make([]float32, vectorDims)
		for d := range words[w] {
			words[w][d] = float32(r.NormFloat64() * math.Log(2+float64(w)))
		}
	}
	return words
}

func vectorOf(words [][]float32, text []int) []float32 {
	v := make([]float32, vectorDims)
	for _, w := range text {
		for d, x := range words[w] {
			v[d] += x
		}
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(max(sum, 1e-9)))
	}
	return v
}

// nearest is the exact ranking.
func nearest(all, question []float32, most int) []int64 {
	type hit struct {
		key    int64
		cosine float32
	}
	hits := make([]hit, len(all)/vectorDims)
	for i := range hits {
		var sum float32
		for d, x := range all[i*vectorDims : (i+1)*vectorDims] {
			sum += x * question[d]
		}
		hits[i] = hit{int64(i), sum}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Compare(b.cosine, a.cosine) })
	keys := make([]int64, most)
	for i := range keys {
		keys[i] = hits[i].key
	}
	return keys
}

// searchVectors is the process that vectors starts.
func searchVectors(ctx context.Context, dir string, out io.Writer) error {
	data, err := os.ReadFile(filepath.Join(dir, vectorFile))
	if err != nil {
		return err
	}
	var questions []vectorQuestion
	if err := json.Unmarshal(data, &questions); err != nil {
		return err
	}
	var f vectorsFound
	begin := time.Now()
	x, err := index.OpenLocal(dir, vectorDims)
	if err != nil {
		return err
	}
	defer x.Close()
	f.Open = ms(time.Since(begin))
	if f.Vectors, err = x.Len(ctx); err != nil {
		return err
	}
	found := 0
	cpu, begin := cpuOfUs(), time.Now()
	for _, q := range questions {
		hits, err := x.Search(ctx, q.Vector, 10, nil)
		if err != nil {
			return err
		}
		for _, h := range hits {
			if slices.Contains(q.Nearest, h.Key) {
				found++
			}
		}
	}
	f.CPU, f.Wall = ms(cpuOfUs()-cpu)/float64(len(questions)), ms(time.Since(begin))/float64(len(questions))
	f.Recall = float64(found) / float64(10*len(questions))
	return json.NewEncoder(out).Encode(f)
}
