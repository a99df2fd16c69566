package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// cves is what this resource needs of the product.
type cves interface {
	states
	// SearchCVEs lists CVEs; with count it also says how many there are on all pages.
	SearchCVEs(ctx context.Context, f catalogue.Filter, count bool) (report.CVEList, error)
	CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error)
	// RefreshCVE asks NVD for one CVE and loads the answer.
	RefreshCVE(ctx context.Context, id cve.ID) error
}

// maybe is a parameter that may be absent where its zero value means something.
type maybe[T any] struct {
	value T
	set   bool
}

// Schema implements huma.SchemaProvider.
func (maybe[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}

// Receiver implements huma.ParamWrapper.
func (m *maybe[T]) Receiver() reflect.Value { return reflect.ValueOf(&m.value).Elem() }

// OnParamSet implements huma.ParamReactor.
func (m *maybe[T]) OnParamSet(set bool, _ any) { m.set = set }

func (m maybe[T]) pointer() *T {
	if !m.set {
		return nil
	}
	return &m.value
}

type cveQuery struct {
	Conditional
	Query           string         `query:"query" maxLength:"500" doc:"words that must occur in title, description or products, in any order; a CVE id finds that CVE" example:"openssh signal handler"`
	Vendor          string         `query:"vendor" maxLength:"200" doc:"only this CPE vendor" example:"openbsd"`
	Product         string         `query:"product" maxLength:"200" doc:"only this CPE product" example:"openssh"`
	CPE             string         `query:"cpe" maxLength:"1000" doc:"only what applies to this CPE name" example:"cpe:2.3:a:openbsd:openssh:9.6:p1:*:*:*:*:*:*"`
	CWE             string         `query:"cwe" maxLength:"20" doc:"only this weakness" example:"CWE-364"`
	Severity        []string       `query:"severity" maxItems:"6" enum:"critical,high,medium,low,info,unknown" doc:"any of these, with commas between" example:"critical,high"`
	MinCVSS         maybe[float64] `query:"min_cvss" minimum:"0" maximum:"10" doc:"only with this CVSS score or more" example:"7"`
	MaxCVSS         maybe[float64] `query:"max_cvss" minimum:"0" maximum:"10" doc:"only with this CVSS score or less" example:"10"`
	MinEPSS         maybe[float64] `query:"min_epss" minimum:"0" maximum:"1" doc:"only with this EPSS probability or more" example:"0.1"`
	MaxEPSS         maybe[float64] `query:"max_epss" minimum:"0" maximum:"1" doc:"only with this EPSS probability or less" example:"1"`
	KEV             bool           `query:"kev" doc:"only what CISA knows to be exploited" example:"true"`
	Ransomware      bool           `query:"ransomware" doc:"only what CISA knows to be used by ransomware" example:"false"`
	Exploit         string         `query:"exploit" enum:"any,exploitdb,metasploit,nuclei,verified,remote,local,webapps,dos" doc:"only with a public exploit" example:"any"`
	Technique       string         `query:"technique" pattern:"^[Tt][0-9]{4}([.][0-9]{3})?$" doc:"only with this ATT&CK technique" example:"T1190"`
	PublishedAfter  string         `query:"published_after" format:"date" doc:"only published on this day or later" example:"2024-01-01"`
	PublishedBefore string         `query:"published_before" format:"date" doc:"only published before this day" example:"2027-01-01"`
	ModifiedAfter   string         `query:"modified_after" format:"date" doc:"only changed on this day or later" example:"2024-01-01"`
	ModifiedBefore  string         `query:"modified_before" format:"date" doc:"only changed before this day" example:"2027-01-01"`
	Sort            string         `query:"sort" enum:"relevance,decision,likelihood,score,date" doc:"default relevance, without words date" example:"decision"`
	Limit           int            `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"50"`
	Cursor          string         `query:"cursor" maxLength:"200" doc:"the page after this one: next of the answer before, with the same search"`
	Skip            maybe[int]     `query:"skip" minimum:"0" maximum:"10000" doc:"leave out so many; the answer then has total, and next pages on by cursor" example:"0"`
}

func (q *cveQuery) filter() (f catalogue.Filter, err error) {
	f = catalogue.Filter{
		Words: q.Query, KEV: q.KEV, Ransomware: q.Ransomware, MinCVSS: q.MinCVSS.pointer(), MaxCVSS: q.MaxCVSS.pointer(),
		MinEPSS: q.MinEPSS.pointer(), MaxEPSS: q.MaxEPSS.pointer(), Severities: q.Severity, Vendor: q.Vendor, Product: q.Product,
		CPE: q.CPE, CWE: q.CWE, Exploit: q.Exploit, Technique: q.Technique, Sort: catalogue.Sort(q.Sort), Limit: q.Limit, After: q.Cursor,
		Skip: q.Skip.value,
	}
	if q.Skip.set && q.Cursor != "" {
		return f, fault.InvalidOption("skip", " and cursor exclude each other")
	}
	for _, day := range []struct {
		field, text string
		into        *time.Time
	}{
		{"published_after", q.PublishedAfter, &f.PublishedFrom}, {"published_before", q.PublishedBefore, &f.PublishedTo},
		{"modified_after", q.ModifiedAfter, &f.ModifiedFrom}, {"modified_before", q.ModifiedBefore, &f.ModifiedTo},
	} {
		if day.text == "" {
			continue
		}
		if *day.into, err = time.Parse(time.DateOnly, day.text); err != nil || day.into.Year() < 1 {
			return f, fault.InvalidOption(day.field, " %.20s: want a day such as 2026-01-31", day.text)
		}
	}
	return f, nil
}

type cveInput struct {
	Conditional
	CVEID
}

// CVEID is the path of one CVE.
type CVEID struct {
	ID string `path:"id" maxLength:"30" pattern:"^[Cc][Vv][Ee]-[0-9]{4}-[0-9]{4,19}$" example:"CVE-2024-6387" doc:"the CVE's id"`
}

type refreshInput struct{ CVEID }

type cveAnswer struct{ Body report.CVE }

func (s *Server) cveOperations() {
	handleKept(s, operation{ID: "list-cves", Method: http.MethodGet, Path: "/cves", Tag: "cves", Role: auth.Viewer, Summary: "Search CVEs",
		Description: "All CVEs of the catalogue that pass the filters, newest first. What is not known passes no bound. Pages go on by cursor, or by skip and limit."},
		func(ctx context.Context, d Desk, in *cveQuery) (*fresh[report.CVEList], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			return keep(ctx, s, d, &in.Conditional, func() (report.CVEList, error) { return d.SearchCVEs(ctx, filter, in.Skip.set) })
		})
	handleKept(s, operation{ID: "get-cve", Method: http.MethodGet, Path: "/cves/{id}", Tag: "cves", Role: auth.Viewer, Summary: "Everything known of a CVE",
		Description: "Facts of all sources with their origins, use in the wild, EPSS with its history, exploits, techniques, and an explanation in plain words."},
		func(ctx context.Context, d Desk, in *cveInput) (*fresh[report.CVE], error) {
			id, err := cve.ParseID(in.ID)
			if err != nil {
				return nil, fault.InvalidOption("id", ": %w", err)
			}
			return keep(ctx, s, d, &in.Conditional, func() (report.CVE, error) {
				doc, _, err := d.CVE(ctx, id)
				return doc, err
			})
		})
	handle(s, operation{ID: "refresh-cve", Timeout: -1, Method: http.MethodPost, Path: "/cves/{id}/refresh", Tag: "cves", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Ask NVD for a CVE now", Description: "Loads NVD's newest record of it and judges known hosts anew."},
		func(ctx context.Context, d Desk, in *refreshInput) (*cveAnswer, error) {
			id, err := cve.ParseID(in.ID)
			if err != nil {
				return nil, fault.InvalidOption("id", ": %w", err)
			}
			if err := d.RefreshCVE(ctx, id); err != nil {
				return nil, err
			}
			doc, _, err := d.CVE(ctx, id)
			return &cveAnswer{doc}, err
		})
}
