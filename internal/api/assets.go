package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// assets is what this resource needs of the product.
type assets interface {
	AssetPage(ctx context.Context, r request.Assets) (report.HostPage, error)
	Asset(ctx context.Context, id int64) (report.HostDetail, error)
	// Tag keeps what a person says of hosts.
	Tag(ctx context.Context, r request.Tag) (report.Swept, error)
	// ReadAssets reads a CSV file of hosts.
	ReadAssets(ctx context.Context, name, site string, file io.Reader) (report.AssetImport, error)
	MergeHosts(ctx context.Context, keep, other, site string) (int64, error)
	SplitHost(ctx context.Context, host, place, site string) (int64, error)
	// RetireHost ends all findings of hosts; preview only counts.
	RetireHost(ctx context.Context, hosts []string, site, reason string, preview bool) (ended int, err error)
}

type assetQuery struct {
	Site        string `query:"site" maxLength:"63" doc:"only this site" example:"default"`
	Search      string `query:"search" maxLength:"255" doc:"words in address, name or system" example:"192.168.1."`
	Owner       string `query:"owner" maxLength:"255" doc:"only what this owner answers for" example:"web"`
	Tag         string `query:"tag" maxLength:"63" doc:"only with this tag" example:"dmz"`
	Criticality string `query:"criticality" enum:"minimal,low,medium,high,critical" doc:"only as critical" example:"high"`
	Sort        string `query:"sort" enum:"id,urgency,address,last_seen" default:"id" example:"urgency" doc:"urgency: the host of the most urgent finding first; last_seen: the newest first"`
	Limit       int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"50"`
	Cursor      string `query:"cursor" maxLength:"200" example:"42" doc:"the page after this one: next of the answer before, with the same filter and sort"`
}

type assetPage struct{ Body report.HostPage }

type assetDoc struct{ Body report.HostDetail }

// HostWords are what a person says of hosts. Of what is absent nothing is said.
type HostWords struct {
	Tags        []string `json:"tags,omitempty" maxItems:"100" maxLength:"63" doc:"tags to put on; -tag takes one off" example:"[\"dmz\"]"`
	Owner       *string  `json:"owner,omitempty" maxLength:"255" doc:"who answers for them; empty leaves it to the rules" example:"web"`
	Criticality *string  `json:"criticality,omitempty" enum:"minimal,low,medium,high,critical," doc:"empty leaves it to the rules" example:"high"`
	Exposed     string   `json:"exposed,omitempty" enum:"yes,no,unset" doc:"whether the internet reaches them; unset leaves it to rules and addresses" example:"no"`
}

type assetPatch struct {
	ByID
	Body HostWords
}

// HostsNamed says which hosts are meant.
type HostsNamed struct {
	Hosts []string `json:"hosts" minItems:"1" maxItems:"10000" maxLength:"255" doc:"ids, addresses or names" example:"[\"192.168.1.20\"]"`
	Site  string   `json:"site,omitempty" maxLength:"63" doc:"where they are, if a name or address is in several sites" example:"default"`
}

type assetTags struct {
	Body struct {
		HostsNamed
		HostWords
	}
}

type sweptAnswer struct{ Body report.Swept }

type assetImportInput struct {
	Upload
	Site string `query:"site" maxLength:"63" doc:"the site of rows that name none" example:"default"`
}

type assetImportAnswer struct{ Body report.AssetImport }

type mergeInput struct {
	Body struct {
		Host  string `json:"host" minLength:"1" maxLength:"255" doc:"the one that stays: id, address or name" example:"5"`
		Other string `json:"other" minLength:"1" maxLength:"255" doc:"the one that becomes part of it" example:"9"`
		Site  string `json:"site,omitempty" maxLength:"63" doc:"where addresses and names are looked up" example:"default"`
	}
}

type splitInput struct {
	ByID
	Body struct {
		Place string `json:"place" minLength:"1" maxLength:"255" doc:"an address or name of the host; what was seen there becomes a host of its own" example:"192.168.1.21"`
	}
}

type hostAnswer struct{ Body report.HostNamed }

type retireHosts struct {
	Body struct {
		HostsNamed
		Reason  string `json:"reason,omitempty" maxLength:"1000" doc:"why" example:"decommissioned"`
		Preview bool   `json:"preview,omitempty" doc:"only count" example:"true"`
	}
}

type retiredAnswer struct{ Body report.Retired }

func (s *Server) assetOperations() {
	handle(s, operation{ID: "list-assets", Errors: []int{http.StatusNotFound}, Method: http.MethodGet, Path: "/assets", Tag: "assets", Role: auth.Viewer,
		Summary: "List hosts", Description: "With what answers on them, and what their confirmed findings come to that stand and that nobody set aside."},
		func(ctx context.Context, d Desk, in *assetQuery) (*assetPage, error) {
			page, err := d.AssetPage(ctx, request.Assets{Site: in.Site, Text: in.Search, Owner: in.Owner, Tag: in.Tag, Criticality: in.Criticality,
				Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit})
			return &assetPage{page}, err
		})
	handle(s, operation{ID: "get-asset", Method: http.MethodGet, Path: "/assets/{id}", Tag: "assets", Role: auth.Viewer,
		Summary: "A host", Description: "With its services, the scans that looked at it, how many findings it has, and what people and rules said of it."},
		func(ctx context.Context, d Desk, in *ByID) (*assetDoc, error) {
			doc, err := d.Asset(ctx, in.ID)
			return &assetDoc{doc}, err
		})
	s.assetWords()
	s.assetIdentity()
}

// assetWords register what people say of hosts.
func (s *Server) assetWords() {
	handle(s, operation{ID: "tag-asset", Method: http.MethodPatch, Path: "/assets/{id}", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Say who owns a host, how critical and how exposed it is"},
		func(ctx context.Context, d Desk, in *assetPatch) (*sweptAnswer, error) {
			doc, err := d.Tag(ctx, in.Body.of(HostsNamed{Hosts: []string{strconv.FormatInt(in.ID, 10)}}))
			return &sweptAnswer{doc}, err
		})
	handle(s, operation{ID: "tag-assets", Errors: []int{http.StatusNotFound}, Method: http.MethodPost, Path: "/assets/tag", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Say who owns hosts, how critical and how exposed they are"},
		func(ctx context.Context, d Desk, in *assetTags) (*sweptAnswer, error) {
			doc, err := d.Tag(ctx, in.Body.of(in.Body.HostsNamed))
			return &sweptAnswer{doc}, err
		})
	table := operation{ID: "import-assets", Errors: []int{http.StatusNotFound}, Timeout: -1, Method: http.MethodPost, Path: "/assets/import", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary:     "Read owners, tags, criticality and exposure of hosts from a CSV file",
		Description: "Columns: address or name, and site, owner, tags, criticality, exposed. An empty field says nothing. A host that is not known yet gets it when it is first seen."}
	handle(s, table, func(ctx context.Context, d Desk, in *assetImportInput) (*assetImportAnswer, error) {
		doc, err := in.table(ctx, d)
		return &assetImportAnswer{doc}, err
	})
	s.takesFiles(table, struct{}{}, "text/csv", "application/octet-stream")
}

func (w HostWords) of(hosts HostsNamed) request.Tag {
	return request.Tag{Hosts: hosts.Hosts, Site: hosts.Site, Tags: w.Tags, Owner: w.Owner, Criticality: w.Criticality, Exposed: w.Exposed}
}

// maxTable is the largest file of hosts.
const maxTable = 64 << 20

// table reads the one file of an upload.
func (in *assetImportInput) table(ctx context.Context, d assets) (doc report.AssetImport, err error) {
	files := 0
	_, err = in.each(ctx, maxTable, nil, func(name string, file io.Reader) error {
		if files++; files > 1 {
			return fault.Invalid("one file at a time: %s is the second", name)
		}
		var readErr error
		doc, readErr = d.ReadAssets(ctx, name, in.Site, file)
		return readErr
	})
	return doc, err
}

// assetIdentity registers what people say of which hosts there are.
func (s *Server) assetIdentity() {
	handle(s, operation{ID: "merge-assets", Errors: []int{http.StatusNotFound}, Method: http.MethodPost, Path: "/assets/merge", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Join two hosts that are one machine"},
		func(ctx context.Context, d Desk, in *mergeInput) (*hostAnswer, error) {
			id, err := d.MergeHosts(ctx, in.Body.Host, in.Body.Other, in.Body.Site)
			return &hostAnswer{report.HostNamed{ID: id}}, err
		})
	handle(s, operation{ID: "split-asset", Method: http.MethodPost, Path: "/assets/{id}/split", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Make what was seen at one address a host of its own"},
		func(ctx context.Context, d Desk, in *splitInput) (*hostAnswer, error) {
			id, err := d.SplitHost(ctx, strconv.FormatInt(in.ID, 10), in.Body.Place, "")
			return &hostAnswer{report.HostNamed{ID: id}}, err
		})
	handle(s, operation{ID: "retire-assets", Errors: []int{http.StatusNotFound}, Method: http.MethodPost, Path: "/assets/retire", Tag: "assets", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Say that hosts are gone", Description: "Their findings end, until they answer again."},
		func(ctx context.Context, d Desk, in *retireHosts) (*retiredAnswer, error) {
			ended, err := d.RetireHost(ctx, in.Body.Hosts, in.Body.Site, in.Body.Reason, in.Body.Preview)
			return &retiredAnswer{report.Retired{Ended: ended, Preview: in.Body.Preview}}, err
		})
}
