package nikto

import (
	"encoding/xml"
	"io"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxNesting lets 2.1.x through, which opens a <niktoscan> per host and closes only the last.
const maxNesting = 4096

// xmlReport is one XML document:
//
//	niktoscans > niktoscan@{version,options} > scandetails@{targetip,targethostname,targetport,…} > item, statistics
type xmlReport struct {
	*document
	*intake.XML
	roots  []string // open <niktoscans> and <niktoscan>
	closed bool     // a <niktoscan> was
	idle   bool     // statistics of no scan: 2.5.0 that could not connect

	version, options string
}

func (d *document) readXML(piece io.Reader) error {
	r := &xmlReport{document: d, XML: intake.NewXML(Name, piece, intake.Limits{Depth: maxNesting})}
	for {
		tok, err := r.Next()
		if err == io.EOF || err != nil && r.tolerable(err) { //nolint:errorlint // Next returns it bare
			return nil
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if err := r.element(tok); err != nil {
				return err
			}
		case xml.EndElement:
			r.roots = r.roots[:len(r.roots)-1]
			r.closed = r.closed || tok.Name.Local == "niktoscan"
		}
	}
}

// tolerable says that the end of the document is Nikto's own mistake: 2.1.x leaves all <niktoscan> but the last open, and
// 2.5.0 closes elements that it never opened when it could not connect.
func (r *xmlReport) tolerable(err error) bool {
	if r.idle {
		return true
	}
	if !isTruncated(err) || !r.closed {
		return false
	}
	for _, name := range r.roots {
		if name != "niktoscan" {
			return false
		}
	}
	return true
}

// element is one below the roots, or a root.
func (r *xmlReport) element(e xml.StartElement) error {
	switch e.Name.Local {
	case "niktoscans":
		r.roots = append(r.roots, "niktoscans")
		return nil
	case "niktoscan":
		r.roots = append(r.roots, "niktoscan")
		r.version, r.options = intake.Attr(e, "version"), intake.Attr(e, "options")
		return nil
	}
	if len(r.roots) == 0 {
		return fault.Invalid("not a nikto report: its root is <%s>, want <niktoscan> or <niktoscans>", printable(e.Name.Local, 40))
	}
	switch e.Name.Local {
	case "scandetails":
		return r.details(e)
	case "statistics":
		r.idle = true
		r.failed++
	}
	return r.Skip()
}

// details reads the scan of one web server.
func (r *xmlReport) details(e xml.StartElement) error {
	s := &site{target: target{host: intake.Attr(e, "targethostname"), site: siteOf(e), start: moment(intake.Attr(e, "starttime"))}}
	s.identify(intake.Attr(e, "targetip"), intake.Attr(e, "targetport"))
	named := s.name()
	if header := (&target{host: intake.Attr(e, "hostheader")}).name(); header != "" {
		named = header
	}
	s.policy = policyOf(r.version, r.options, named)
	complete := false
	err := r.Each(func(child xml.StartElement) error {
		switch child.Name.Local {
		case "item":
			i, err := r.item(child)
			if err != nil {
				return err
			}
			return r.document.item(s, i)
		case "statistics":
			s.end = moment(intake.Attr(child, "endtime"))
			complete = !s.end.IsZero()
		}
		return r.Skip()
	})
	if err != nil {
		return err
	}
	limit := maxtime(r.options)
	cut := limit > 0 && !s.start.IsZero() && s.end.Sub(s.start) >= limit-time.Second
	return r.finish(s, complete && !cut)
}

// siteOf is the address of the web server as Nikto asked for it, without the path.
func siteOf(e xml.StartElement) string {
	for _, name := range []string{"sitename", "siteip"} {
		if site := siteRoot(intake.Attr(e, name)); site != "" {
			return site
		}
	}
	return ""
}

func (r *xmlReport) item(e xml.StartElement) (*item, error) {
	i := &item{id: intake.Attr(e, "id"), method: intake.Attr(e, "method"), osvdb: intake.Attr(e, "osvdbid")}
	r.Record()
	defer r.Done()
	err := r.Each(func(child xml.StartElement) (err error) {
		switch child.Name.Local {
		case "description":
			i.msg, err = r.Text()
		case "uri":
			i.uri, err = r.Text()
		case "references":
			i.refs, err = r.Text()
		default:
			err = r.Skip()
		}
		return err
	})
	return i, err
}
