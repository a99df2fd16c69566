package api

import (
	"html"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/docs"
	"github.com/patchscout/patchscout/internal/fault"
)

// help serves the product's own pages, which the assistant cites. They come from this program, hold nothing of the estate
// and run no script.
func (s *Server) help() {
	s.router.Get("/help", s.showHelp)
	s.router.Get("/help/{page}", s.showHelp)
}

func (s *Server) showHelp(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(chi.URLParam(r, "page"), ".md")
	body, title := s.helpIndex(), "Help"
	if name != "" {
		text, err := fs.ReadFile(docs.Pages, name+".md")
		if err != nil {
			s.writeError(w, r, fault.NotFound("there is no page %.60q: /help lists them", name))
			return
		}
		title = helpTitle(string(text), name)
		body = `<p><a href="` + s.opts.BasePath + `/help">All pages</a></p>` + helpBody(string(text), s.opts.BasePath)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write([]byte("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>" +
		html.EscapeString(title) + " · PatchScout</title><style>" + helpStyle + "</style></head><body><main>" + body + "</main></body></html>"))
}

// helpStyle has the colours of the web UI (web/src/theme.ts), light or dark as the reader's system is.
const helpStyle = `:root{color-scheme:light dark;--body:#fff;--ink:#1c232d;--line:#e3e7ec;--panel:#f8f9fb;--link:#0b6b62}
@media(prefers-color-scheme:dark){:root{--body:#10141a;--ink:#dfe4ec;--line:#252c36;--panel:#151a21;--link:#4fd1bd}}
body{font:15px/1.6 'Inter Variable',system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;margin:0;background:var(--body);color:var(--ink)}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:break-word}a{color:var(--link)}li{margin:.2em 0}
h1,h2,h3,h4{line-height:1.3;margin:1.8em 0 .5em;letter-spacing:-.01em;text-wrap:balance}h1{font-size:1.6rem;margin-top:.4em}h2{font-size:1.2rem}h3,h4{font-size:1rem}
pre{overflow:auto;padding:.8rem 1rem;border-radius:6px;border:1px solid var(--line);background:var(--panel)}
code{font:.9em ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}pre code{overflow-wrap:normal}
.wide{overflow:auto}table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line)}
td:not(:last-child)>code:only-child{overflow-wrap:normal}:target{scroll-margin-top:1rem;border-left:3px solid var(--link);padding-left:.6rem}`

func (s *Server) helpIndex() string {
	names, _ := fs.Glob(docs.Pages, "*.md") // the pattern is fine
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("<h1>Help</h1><ul>")
	for _, n := range names {
		text, err := fs.ReadFile(docs.Pages, n)
		if err == nil {
			b.WriteString(`<li><a href="` + s.opts.BasePath + `/help/` + n + `">` + html.EscapeString(helpTitle(string(text), n)) + "</a></li>")
		}
	}
	b.WriteString("</ul>")
	return b.String()
}

func helpTitle(text, name string) string {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(strings.ReplaceAll(title, "`", ""))
		}
	}
	return name
}

// helpBody renders the Markdown that our pages use: headings, paragraphs, lists, tables, code. All text is escaped first.
func helpBody(text, base string) string {
	h := helpWriter{base: base}
	for line := range strings.Lines(text) {
		h.line(strings.TrimRight(line, "\r\n"))
	}
	h.end()
	return h.b.String()
}

type helpWriter struct {
	b     strings.Builder
	base  string
	lines []string // of the paragraph or item
	open  string   // ul, ol, table, pre, indented (code too) or p
	rows  int
	blank int // lines, directly before this one
}

var (
	helpNumber = regexp.MustCompile(`^\d+\. `)
	helpRule   = regexp.MustCompile(`^\|[-:| ]+\|?$`)
	helpHead   = regexp.MustCompile(`^(#{1,4}) (.*)$`)
	helpCode   = regexp.MustCompile("`([^`]+)`")
	helpBold   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	helpLink   = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]*)\)`)
	helpSign   = regexp.MustCompile(`[^\pL\pN _-]+`)
)

func (h *helpWriter) line(line string) {
	trimmed := strings.TrimSpace(line)
	if h.open == "pre" {
		if strings.HasPrefix(trimmed, "```") {
			h.end()
			return
		}
		h.b.WriteString(html.EscapeString(line) + "\n")
		return
	}
	if trimmed == "" && h.open != "" {
		h.blank++
		return
	}
	blank := h.blank
	if h.blank = 0; blank > 0 && h.open != "indented" && (h.open != "ul" && h.open != "ol" || !helpGoesOn(line, trimmed)) {
		h.end()
	}
	if code, ok := strings.CutPrefix(line, "    "); ok && (h.open == "" || h.open == "indented") {
		h.code(code, blank)
		return
	}
	if h.open == "indented" {
		h.end()
	}
	switch {
	case strings.HasPrefix(trimmed, "```"):
		h.end()
		h.open = "pre"
		h.b.WriteString("<pre><code>")
	case trimmed == "", strings.HasPrefix(trimmed, "<!--"):
		h.end()
	case helpHead.MatchString(line):
		h.end()
		m := helpHead.FindStringSubmatch(line)
		level := string(rune('0' + len(m[1])))
		h.b.WriteString("<h" + level + ` id="` + html.EscapeString(helpAnchor(m[2])) + `">` + h.inline(m[2]) + "</h" + level + ">")
	case strings.HasPrefix(trimmed, "|"):
		h.row(trimmed)
	case strings.HasPrefix(trimmed, "- "), strings.HasPrefix(trimmed, "* "):
		h.item("ul", trimmed[2:])
	case helpNumber.MatchString(trimmed):
		h.item("ol", trimmed[strings.Index(trimmed, ". ")+2:])
	case h.open == "ul" || h.open == "ol":
		h.lines = append(h.lines, trimmed)
	default:
		if h.open != "p" {
			h.end()
			h.open = "p"
		}
		h.lines = append(h.lines, trimmed)
	}
}

// helpGoesOn says that a line behind a blank one belongs to the list before it.
func helpGoesOn(line, trimmed string) bool {
	return strings.HasPrefix(line, " ") || strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "* ") || helpNumber.MatchString(trimmed)
}

// code writes a line of code that is known by its indent, with the blank lines that stood before it in the same piece.
func (h *helpWriter) code(line string, blank int) {
	if h.open == "" {
		h.open, blank = "indented", 0
		h.b.WriteString("<pre><code>")
	}
	h.b.WriteString(strings.Repeat("\n", blank) + html.EscapeString(line) + "\n")
}

func (h *helpWriter) row(line string) {
	if helpRule.MatchString(line) {
		return
	}
	if h.open != "table" {
		h.end()
		h.open, h.rows = "table", 0
		h.b.WriteString(`<div class="wide"><table>`)
	}
	cell := "td"
	if h.rows++; h.rows == 1 {
		cell = "th"
	}
	h.b.WriteString("<tr>")
	for c := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|") {
		h.b.WriteString("<" + cell + ">" + h.inline(strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))) + "</" + cell + ">")
	}
	h.b.WriteString("</tr>")
}

func (h *helpWriter) item(list, text string) {
	if h.open != list {
		h.end()
		h.open = list
		h.b.WriteString("<" + list + ">")
	} else {
		h.flush("li")
	}
	h.lines = []string{text}
}

func (h *helpWriter) flush(tag string) {
	if len(h.lines) > 0 {
		h.b.WriteString("<" + tag + ">" + h.inline(strings.Join(h.lines, " ")) + "</" + tag + ">")
	}
	h.lines = nil
}

func (h *helpWriter) end() {
	switch h.open {
	case "p":
		h.flush("p")
	case "ul", "ol":
		h.flush("li")
		h.b.WriteString("</" + h.open + ">")
	case "table":
		h.b.WriteString("</table></div>")
	case "pre", "indented":
		h.b.WriteString("</code></pre>")
	}
	h.open, h.lines, h.blank = "", nil, 0
}

// inline marks up a line whose text was escaped: what stands in code is left as it is.
func (h *helpWriter) inline(text string) string {
	text = html.EscapeString(text)
	var kept []string
	text = helpCode.ReplaceAllStringFunc(text, func(c string) string {
		kept = append(kept, "<code>"+c[1:len(c)-1]+"</code>")
		return "\x01"
	})
	text = helpLink.ReplaceAllStringFunc(text, func(l string) string {
		m := helpLink.FindStringSubmatch(l)
		if to := h.linked(m[2]); to != "" {
			return `<a href="` + to + `">` + m[1] + "</a>"
		}
		return m[1]
	})
	text = helpBold.ReplaceAllString(text, "<strong>$1</strong>")
	for _, c := range kept {
		text = strings.Replace(text, "\x01", c, 1)
	}
	return text
}

// linked are the addresses that a page of ours may lead to: other pages, places in them, and the web.
func (h *helpWriter) linked(to string) string {
	page, _, _ := strings.Cut(to, "#")
	switch {
	case strings.HasPrefix(to, "#"), strings.HasPrefix(to, "https://"):
		return to
	case strings.HasSuffix(page, ".md") && !strings.Contains(page, "/"):
		return h.base + "/help/" + to
	}
	return ""
}

// helpAnchor is what a heading is called by, as readers of Markdown do it.
func helpAnchor(heading string) string {
	return strings.ReplaceAll(helpSign.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
}
