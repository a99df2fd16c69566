package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// streamPatience is how long a reader of a stream may take for one buffer of it.
const streamPatience = 30 * time.Second

// download is what a stream is.
type download struct{ kind, name string }

// stream answers with what write writes, as it comes. An error before the first buffer is full is answered like any
// other; after that the connection is cut, so that nobody takes a part for the whole.
func (s *Server) stream(d download, write func(*streamWriter) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humachi.Unwrap(c)
		who := auth.From(r.Context())
		end, err := s.downloads.begin(string(who.Kind) + " " + who.Name)
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		defer end()
		sink := &streamSink{w: w, control: http.NewResponseController(w), download: d}
		out := &streamWriter{bufio.NewWriterSize(sink, 64<<10)}
		if err = write(out); err == nil {
			err = out.Flush()
		}
		switch {
		case err == nil:
			sink.begin() // of an empty document
		case !sink.begun:
			s.writeError(w, r, err)
		default:
			if r.Context().Err() == nil {
				s.opts.Log.WarnContext(r.Context(), "a download was cut short", "path", r.URL.Path, "error", err)
			}
			panic(http.ErrAbortHandler) // the one way in which net/http ends an answer that is not whole
		}
	}}
}

// maxDownloads is how many streams one asker may read at a time. A slow reader holds one of the server's places for as long
// as he reads: without a bound a single one could hold them all.
const maxDownloads = 8

// downloads counts the streams of each asker. The zero value is ready for use.
type downloads struct {
	mu    sync.Mutex
	under map[string]int
}

func (d *downloads) begin(who string) (end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.under[who] >= maxDownloads {
		return nil, fault.Unavailable("%d downloads of yours are being sent: wait until one has ended", maxDownloads)
	}
	if d.under == nil {
		d.under = map[string]int{}
	}
	d.under[who]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.under[who]--; d.under[who] == 0 {
			delete(d.under, who)
		}
	}, nil
}

// streamWriter is what a stream is written to.
type streamWriter struct{ *bufio.Writer }

// streamSink sends the headers with the first buffer, and gives up on a reader that takes none.
type streamSink struct {
	w       http.ResponseWriter
	control *http.ResponseController
	download
	begun bool
}

func (s *streamSink) begin() {
	if s.begun {
		return
	}
	s.begun = true
	s.w.Header().Set("Content-Type", s.kind)
	s.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, s.name))
	s.w.Header().Set("X-Content-Type-Options", "nosniff")
	s.w.WriteHeader(http.StatusOK)
}

func (s *streamSink) Write(p []byte) (int, error) {
	s.begin()
	_ = s.control.SetWriteDeadline(time.Now().Add(streamPatience)) // a writer in a test has none
	return s.w.Write(p)
}

// streams are the answers of a streamed operation in the document.
func streams(kinds []string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, kind := range kinds {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}, Example: streamExamples[kind]}
		if kind == "application/json" {
			content[kind].Schema = &huma.Schema{}
		}
	}
	return map[string]*huma.Response{"200": {Description: "the file, as it is written", Content: content}}
}

var streamExamples = map[string]any{
	"text/csv":               "id,site,host,port,protocol,service,cve\n17,default,192.168.1.20,22,tcp,OpenSSH 9.6p1,CVE-2024-6387\n",
	"application/json":       json.RawMessage(`{"findings":[],"total":0,"next":null}`),
	"application/sarif+json": `{"version":"2.1.0","runs":[]}`,
	"application/x-ndjson":   `{"id":17,"cve":"CVE-2024-6387"}` + "\n",

	"text/vnd.graphviz":                     "digraph paths {\n  \"the internet\" -> \"192.168.1.20\" [label=\"CVE-2024-6387\"];\n}\n",
	"application/graphml+xml":               "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">…</graphml>\n",
	"application/vnd.attack-navigator+json": `{"name":"Attack paths","versions":{"attack":"19","navigator":"5.1.0","layer":"4.5"},"domain":"enterprise-attack","techniques":[]}`,
}
