package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// paths is what this resource needs of the product.
type paths interface {
	// EstateState says which state of the estate and the catalogue the asker's answers show, at next to no cost.
	EstateState(ctx context.Context) (report.CatalogueState, error)
	Paths(ctx context.Context, req request.Paths) (report.Paths, error)
	// CriticalPaths is Paths with the best path to each jewel only, the weightiest jewel first.
	CriticalPaths(ctx context.Context, req request.Paths) (report.Paths, error)
	PathFixes(ctx context.Context, req request.Paths) (report.PathFixes, error)
	PathWhatIf(ctx context.Context, req request.WhatIf) (report.WhatIf, error)
	PathReach(ctx context.Context, req request.Paths, host string, forward bool) (report.PathReach, error)
	PathMap(ctx context.Context, req request.Paths) (report.PathMap, error)
	PathPolicy(ctx context.Context) (report.PathPolicy, error)
	SetPathPolicy(ctx context.Context, name string, data []byte) (report.PathPolicy, error)
	ClearPathPolicy(ctx context.Context) error
	PathCorrections(ctx context.Context) (report.PathCorrections, error)
	CorrectPath(ctx context.Context, req request.PathCorrection) (report.PathCorrection, error)
	UncorrectPath(ctx context.Context, id int64) error
}

// PathScenario is what an answer is to assume, in addresses and bodies alike.
type PathScenario struct {
	From    []string `query:"from" json:"from,omitempty" maxItems:"100" maxLength:"255" example:"[\"internet\"]" doc:"where attackers begin: internet, site:NAME, host:HOST (held as a user), user:HOST, user:site:NAME (a stolen login); absent: the internet, and where it reaches nothing, the inside of each site"`
	Site    string   `query:"site" json:"site,omitempty" maxLength:"63" example:"default" doc:"where the hosts that are named are, if a name or address is in several sites"`
	Assume  string   `query:"assume" json:"assume,omitempty" enum:"site,flat" default:"site" example:"site" doc:"where no rule says anything: site: a site reaches only itself; flat: every site reaches every other"`
	Reuse   bool     `query:"reuse" json:"reuse,omitempty" example:"false" doc:"the scenario that an administrator's credentials of one host work on the others of its site"`
	Secrets bool     `query:"secrets" json:"secrets,omitempty" example:"false" doc:"the scenario that what can be read holds a login"`
}

// PathTargets is which paths are asked for, and how many.
type PathTargets struct {
	To      []string `query:"to" json:"to,omitempty" maxItems:"100" maxLength:"255" example:"[\"192.168.1.20\"]" doc:"hosts by id, address or name that stand for the jewels"`
	K       int      `query:"k" json:"k,omitempty" minimum:"1" maximum:"50" default:"10" example:"10" doc:"paths to each jewel, distinct by the hosts that they lead over"`
	Limit   int      `query:"limit" json:"limit,omitempty" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"paths in all"`
	Samples int      `query:"samples" json:"samples,omitempty" minimum:"-1" maximum:"100000" default:"0" example:"0" doc:"random trials for the chances; 0 is the default number, -1 none"`
}

// request is what both say.
func (in PathScenario) request(to PathTargets) request.Paths {
	return request.Paths{From: in.From, Site: in.Site, Assume: in.Assume, Reuse: in.Reuse, Secrets: in.Secrets,
		To: to.To, K: to.K, Limit: to.Limit, Samples: to.Samples}
}

// PathScan narrows a question to what one scan saw.
type PathScan struct {
	Scan int64 `query:"scan" json:"scan,omitempty" minimum:"1" example:"42" doc:"only what this scan saw; absent: the whole estate"`
}

// PathQuestion is what is asked of all paths.
type PathQuestion struct {
	PathScenario
	PathTargets
	PathScan
}

func (in PathQuestion) request() request.Paths {
	req := in.PathScenario.request(in.PathTargets)
	req.Scan = in.Scan
	return req
}

type pathsInput struct {
	PathQuestion
	Fixes bool `query:"fixes" example:"false" doc:"work out for each jewel the smallest fixes that cut every path, too"`
	Conditional
}

type scanPathsInput struct {
	ScanID int64 `path:"scan_id" minimum:"1" example:"42" doc:"the scan's number"`
	PathScenario
	PathTargets
	Fixes bool `query:"fixes" example:"false" doc:"work out for each jewel the smallest fixes that cut every path, too"`
	Conditional
}

func (in *pathsInput) request() request.Paths {
	req := in.PathQuestion.request()
	req.Fixes = in.Fixes
	return req
}

func (in *scanPathsInput) request() request.Paths {
	req := in.PathScenario.request(in.PathTargets)
	req.Scan, req.Fixes = in.ScanID, in.Fixes
	return req
}

type pathFixesInput struct {
	PathQuestion
	Conditional
}

type pathMapInput struct {
	PathScenario
	PathScan
	To []string `query:"to" maxItems:"100" maxLength:"255" example:"[\"192.168.1.20\"]" doc:"hosts by id, address or name that stand for the jewels"`
	Conditional
}

type pathReachInput struct {
	HostID    int64  `path:"host_id" minimum:"1" example:"5" doc:"the host's number"`
	Direction string `query:"direction" enum:"forward,backward" default:"forward" example:"backward" doc:"forward: what who holds the host can reach from it; backward: what leads to it"`
	PathScenario
	PathScan
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"hosts to list"`
	Conditional
}

// TriedRule is a rule in front of the declared ones, to see what it would change.
type TriedRule struct {
	From  string   `json:"from" minLength:"1" maxLength:"255" example:"internet" doc:"internet, any, site:NAME, NETWORK or site:NAME/NETWORK"`
	To    string   `json:"to" minLength:"1" maxLength:"255" example:"10.0.0.0/24" doc:"any, site:NAME, NETWORK or site:NAME/NETWORK"`
	Ports []string `json:"ports,omitempty" maxItems:"1000" maxLength:"20" example:"[\"tcp/443\"]" doc:"tcp/443, udp/53, 8000-8100; absent is every port"`
	Allow bool     `json:"allow" example:"false" doc:"whether it lets through"`
	Note  string   `json:"note,omitempty" maxLength:"1024" example:"the new firewall" doc:"why"`
}

type whatIfInput struct {
	Body struct {
		PathQuestion
		Findings   []int64     `json:"findings,omitempty" maxItems:"1000" example:"[17]" doc:"findings that are fixed"`
		Weaknesses []string    `json:"weaknesses,omitempty" maxItems:"1000" maxLength:"512" example:"[\"CVE-2024-6387\"]" doc:"CVEs or checks that are patched everywhere"`
		Hosts      []string    `json:"hosts,omitempty" maxItems:"1000" maxLength:"255" example:"[\"192.168.1.20\"]" doc:"hosts that are taken off the network, by id, address or name"`
		Rules      []TriedRule `json:"rules,omitempty" maxItems:"1000" doc:"rules in front of the declared ones"`
	}
}

func (in *whatIfInput) request() request.WhatIf {
	b := in.Body
	req := request.WhatIf{Paths: b.PathQuestion.request(), Findings: b.Findings, Weaknesses: b.Weaknesses, Hosts: b.Hosts}
	for _, r := range b.Rules {
		req.Rules = append(req.Rules, request.PathRule{From: r.From, To: r.To, Ports: r.Ports, Allow: r.Allow, Note: r.Note})
	}
	return req
}

type pathExportInput struct {
	PathQuestion
	Format string `query:"format" enum:"json,dot,graphml,navigator" default:"json" example:"graphml" doc:"json is the document of the list; dot is for Graphviz, graphml for graph tools, navigator a layer for the ATT&CK Navigator"`
}

type whatIfOutput struct{ Body report.WhatIf }

func (s *Server) pathOperations() {
	handleKept(s, operation{ID: "list-attack-paths", Method: http.MethodGet, Path: "/attack-paths", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "How an attacker would walk",
		Description: "The best paths to every jewel of the whole estate, each step with its evidence, its chance, from where it is known and what to do against it. " +
			"What is assumed is said in notices and on every path. What takes longer than some seconds is answered with complete: false."},
		func(ctx context.Context, d Desk, in *pathsInput) (*fresh[report.Paths], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.Paths, error) { return d.Paths(ctx, in.request()) })
		})
	handleKept(s, operation{ID: "list-critical-attack-paths", Method: http.MethodGet, Path: "/attack-paths/critical", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "The best path to each jewel", Description: "Of the whole estate, the weightiest jewel first."},
		func(ctx context.Context, d Desk, in *pathsInput) (*fresh[report.Paths], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.Paths, error) { return d.CriticalPaths(ctx, in.request()) })
		})
	handleKept(s, operation{ID: "list-attack-paths-of-scan", Method: http.MethodGet, Path: "/attack-paths/{scan_id}", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "How an attacker would walk over what one scan saw", Description: "As the list for the whole estate, of the hosts and findings that this scan saw."},
		func(ctx context.Context, d Desk, in *scanPathsInput) (*fresh[report.Paths], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.Paths, error) { return d.Paths(ctx, in.request()) })
		})
	handleKept(s, operation{ID: "list-critical-attack-paths-of-scan", Method: http.MethodGet, Path: "/attack-paths/{scan_id}/critical", Tag: "attack-paths", Role: auth.Viewer,
		Errors: named, Summary: "The best path to each jewel, of what one scan saw", Description: "The weightiest jewel first."},
		func(ctx context.Context, d Desk, in *scanPathsInput) (*fresh[report.Paths], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.Paths, error) { return d.CriticalPaths(ctx, in.request()) })
		})
	s.pathQuestions()
	s.pathExport()
	s.pathPolicyOperations()
	s.pathCorrectionOperations()
}

// pathQuestions ask otherwise than for a list of paths.
func (s *Server) pathQuestions() {
	handleKept(s, operation{ID: "get-attack-path-fixes", Method: http.MethodGet, Path: "/attack-paths/fixes", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "The fewest fixes that stop the walk",
		Description: "all: the smallest set of findings whose fixes cut every path to every jewel; patches: the same where a CVE is patched everywhere; both checked by asking again. " +
			"ranked: findings by risk_removed, the expected drop in the weight of compromised jewels."},
		func(ctx context.Context, d Desk, in *pathFixesInput) (*fresh[report.PathFixes], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.PathFixes, error) { return d.PathFixes(ctx, in.request()) })
		})
	handle(s, operation{ID: "ask-what-if", Method: http.MethodPost, Path: "/attack-paths/what-if", Tag: "attack-paths", Role: auth.Viewer, Reads: true, Errors: named,
		Status: http.StatusOK, Summary: "What difference fixes, or a rule of the network, would make",
		Description: "Nothing is changed: the answer compares what is with what would be."},
		func(ctx context.Context, d Desk, in *whatIfInput) (*whatIfOutput, error) {
			doc, err := d.PathWhatIf(ctx, in.request())
			return &whatIfOutput{doc}, err
		})
	handleKept(s, operation{ID: "get-attack-path-map", Method: http.MethodGet, Path: "/attack-paths/map", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "The whole estate as a graph for drawing", Description: "Hosts that are alike are one node."},
		func(ctx context.Context, d Desk, in *pathMapInput) (*fresh[report.PathMap], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.PathMap, error) {
				req := in.PathScenario.request(PathTargets{To: in.To})
				req.Scan = in.Scan
				return d.PathMap(ctx, req)
			})
		})
	handleKept(s, operation{ID: "get-attack-path-reach", Method: http.MethodGet, Path: "/attack-paths/hosts/{host_id}", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "What one host exposes, or what leads to it", Description: "Each host with the chance of the best way between the two."},
		func(ctx context.Context, d Desk, in *pathReachInput) (*fresh[report.PathReach], error) {
			return keepEstate(ctx, s, d, &in.Conditional, func() (report.PathReach, error) {
				req := in.PathScenario.request(PathTargets{Limit: in.Limit})
				req.Scan = in.Scan
				return d.PathReach(ctx, req, strconv.FormatInt(in.HostID, 10), in.Direction == "forward")
			})
		})
}

// pathFiles are the formats of an export.
var pathFiles = map[string]struct {
	download
	write func(io.Writer, report.Paths) error
}{
	"json":      {download{"application/json", "attack-paths.json"}, func(w io.Writer, p report.Paths) error { return report.JSON(w, p) }},
	"dot":       {download{"text/vnd.graphviz; charset=utf-8", "attack-paths.dot"}, report.PathsDOT},
	"graphml":   {download{"application/graphml+xml; charset=utf-8", "attack-paths.graphml"}, report.PathsGraphML},
	"navigator": {download{"application/vnd.attack-navigator+json", "attack-paths.layer.json"}, report.PathsNavigator},
}

func (s *Server) pathExport() {
	handle(s, operation{ID: "export-attack-paths", Method: http.MethodGet, Path: "/attack-paths/export", Tag: "attack-paths", Role: auth.Viewer, Errors: named,
		Summary: "Attack paths as a file", Description: "json is the document of the list. dot draws them with Graphviz, graphml opens in yEd, Gephi and networkx, navigator is a layer 4.5 for the ATT&CK Navigator.",
		Streams: []string{"application/json", "text/vnd.graphviz", "application/graphml+xml", "application/vnd.attack-navigator+json"}, Whole: report.Paths{}},
		func(ctx context.Context, d Desk, in *pathExportInput) (*huma.StreamResponse, error) {
			doc, err := d.Paths(ctx, in.request())
			if err != nil {
				return nil, err
			}
			file := pathFiles[in.Format]
			return s.stream(file.download, func(w *streamWriter) error { return file.write(w, doc) }), nil
		})
}

// estateStates lets answers of the estate be kept as those of the catalogue are.
type estateStates struct{ paths }

// CatalogueState implements states.
func (e estateStates) CatalogueState(ctx context.Context) (report.CatalogueState, error) {
	return e.EstateState(ctx)
}

// keepEstate is keep for answers that change with the estate.
func keepEstate[T any](ctx context.Context, s *Server, d paths, c *Conditional, work func() (T, error)) (*fresh[T], error) {
	return keep(ctx, s, estateStates{d}, c, work)
}
