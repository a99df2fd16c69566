package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// worthwhile is from what size on an answer is compressed: below, a packet is a packet.
const worthwhile = 1 << 10

var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // JSON shrinks to a sixth by it; more costs twice the time for a tenth
	return w
}}

// compress packs answers for clients that take gzip.
func (s *Server) compress(next http.Handler) http.Handler {
	how := s.opts.Limits.Compress
	if how == "" || how == "off" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !takesGzip(r) || r.Method == http.MethodHead || live(r) || how == "auto" && here(r) {
			next.ServeHTTP(w, r)
			return
		}
		p := &packed{ResponseWriter: w}
		defer p.close()
		next.ServeHTTP(p, r)
	})
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}

// here says whether the client is on this machine, where bytes cost less than packing them.
func here(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return true // a unix socket
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// packed holds the beginning of an answer back until it is clear whether it is worth packing.
type packed struct {
	http.ResponseWriter
	status  int
	held    []byte
	packer  *gzip.Writer
	decided bool
}

func (p *packed) WriteHeader(status int) {
	if status < http.StatusOK { // 100 and 103 go before the answer
		p.ResponseWriter.WriteHeader(status)
		return
	}
	if p.status == 0 {
		p.status = status
	}
	if status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusPartialContent {
		_ = p.decide(false) // nothing is held: it cannot fail
	}
}

func (p *packed) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.status = http.StatusOK
	}
	if !p.decided {
		p.held = append(p.held, b...)
		if len(p.held) < worthwhile {
			return len(b), nil
		}
		return len(b), p.decide(true)
	}
	if p.packer != nil {
		return p.packer.Write(b)
	}
	return p.ResponseWriter.Write(b)
}

// decide sends the header and what was held back.
func (p *packed) decide(worth bool) error {
	if p.decided {
		return nil
	}
	p.decided = true
	h := p.Header()
	if packable(h.Get("Content-Type")) && h.Get("Content-Encoding") == "" {
		h.Add("Vary", "Accept-Encoding")
		if worth {
			p.packer = packers.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool holds nothing else
			p.packer.Reset(p.ResponseWriter)
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
				h.Set("ETag", "W/"+tag) // the same content in other bytes
			}
		}
	}
	if p.status != 0 {
		p.ResponseWriter.WriteHeader(p.status)
	}
	held := p.held
	p.held = nil
	if len(held) == 0 {
		return nil
	}
	var err error
	if p.packer != nil {
		_, err = p.packer.Write(held)
	} else {
		_, err = p.ResponseWriter.Write(held)
	}
	return err
}

// packable: what is packed already, or is not text, stays as it is.
func packable(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	return strings.HasPrefix(kind, "text/") && kind != "text/event-stream" || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") ||
		kind == "application/yaml" || kind == "application/javascript" || kind == "application/x-ndjson"
}

// Flush sends what there is: who flushes wants it to be seen.
func (p *packed) Flush() {
	_ = p.decide(len(p.held) >= worthwhile/4)
	if p.packer != nil {
		_ = p.packer.Flush()
	}
	_ = http.NewResponseController(p.ResponseWriter).Flush()
}

func (p *packed) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *packed) close() {
	_ = p.decide(false)
	if p.packer != nil {
		_ = p.packer.Close() // the client went away, or net/http will notice
		packers.Put(p.packer)
	}
}
