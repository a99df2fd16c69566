package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// hostSorts are the orders of a list of hosts.
var hostSorts = map[string]finding.SortField{"": "", "id": "", "urgency": finding.ByRank, "address": finding.ByHost, "last_seen": finding.ByLastSeen}

// AssetPage lists a page of hosts with what answers on them and what their findings come to.
func (a *App) AssetPage(ctx context.Context, req AssetRequest) (report.HostPage, error) {
	return together(ctx, a.store, func(ctx context.Context) (report.HostPage, error) { return a.assetPage(ctx, req) })
}

func (a *App) assetPage(ctx context.Context, req AssetRequest) (report.HostPage, error) {
	doc := report.HostPage{Hosts: []report.HostListed{}}
	if err := a.checkExist(ctx, 0, req.Site); err != nil {
		return doc, err
	}
	query, err := hostQuery(req)
	if err != nil {
		return doc, err
	}
	standings, total, err := a.store.Estate().HostStandings(ctx, a.who.View, query)
	if err != nil {
		return doc, err
	}
	doc.Total = total
	if req.Limit > 0 && len(standings) > req.Limit {
		standings = standings[:req.Limit]
		next := hostCursor(standings[req.Limit-1].Place)
		doc.Next = &next
	}
	doc.Hosts, err = a.listedAssets(ctx, standings)
	return doc, err
}

func hostQuery(req AssetRequest) (store.HostQuery, error) {
	criticality, err := asset.ReadCriticality(req.Criticality)
	if err != nil {
		return store.HostQuery{}, err
	}
	q := store.HostQuery{Site: req.Site, Text: req.Text, Owner: req.Owner, Tag: req.Tag, Criticality: criticality, Limit: req.Limit}
	if q.Limit > 0 {
		q.Limit++ // is there more?
	}
	by, known := hostSorts[req.Sort]
	if !known {
		return q, fault.InvalidOption("sort", " %.40s: want id, urgency, address or last_seen", req.Sort)
	}
	q.Sort = by
	if req.Cursor == "" {
		return q, nil
	}
	if by == "" {
		if q.After.ID, err = strconv.ParseInt(req.Cursor, 10, 64); err != nil || q.After.ID < 1 {
			return q, fault.InvalidOption("cursor", " %.80q: not one of a list by id", req.Cursor)
		}
		return q, nil
	}
	q.After, err = finding.ParseCursor(req.Cursor, finding.Sort{By: by})
	return q, err
}

func hostCursor(at finding.Cursor) string {
	if at.Sort.By == "" {
		return strconv.FormatInt(at.ID, 10)
	}
	return at.String()
}

// listedAssets shows hosts in the order of their standings.
func (a *App) listedAssets(ctx context.Context, standings []store.HostStanding) ([]report.HostListed, error) {
	out := make([]report.HostListed, 0, len(standings))
	if len(standings) == 0 {
		return out, nil
	}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return out, err
	}
	ids := make([]int64, 0, len(standings))
	for _, s := range standings {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	hosts, err := a.hosts(ctx, store.HostFilter{IDs: ids})
	if err != nil {
		return out, err
	}
	byID := map[int64]report.Host{}
	for _, h := range hosts {
		byID[h.ID] = h
	}
	for _, s := range standings {
		if h, known := byID[s.ID]; known { // it may have gone meanwhile
			n := s.BySeverity
			out = append(out, report.HostListed{Host: h, Decision: report.Text(s.Decision), KEV: exploitedOf(cat, s.KEV), Findings: report.SeverityCounts{
				Critical: n["critical"], High: n["high"], Medium: n["medium"], Low: n["low"], Info: n["info"], Unknown: n["unknown"] + n[""]}})
		}
	}
	return out, nil
}

// warm reads what lists of hosts and the matrix are made of, which takes a second where there is much, before anybody asks
// for it.
func (a *App) warm(ctx context.Context) {
	_, _, hosts := a.store.Estate().HostStandings(ctx, auth.Everything(), store.HostQuery{Limit: 1})
	_, matrix := a.For(auth.ForSystem()).Exposure(ctx)
	if err := errors.Join(hosts, matrix); err != nil && ctx.Err() == nil {
		a.log.Warn("not all was read ahead", "error", err)
	}
}

// exploitedOf is how many findings are known to be exploited, nil where nobody can know.
func exploitedOf(cat report.Catalogue, n int) *int {
	if !kevKnown(cat) {
		return nil
	}
	return &n
}

// mostPorts is how many ports of an inventory's row are named.
const mostPorts = 20

// ServiceInventory lists what answers on hosts, a row for each product in each version.
func (a *App) ServiceInventory(ctx context.Context, req request.Inventory) (report.ServiceInventory, error) {
	doc := report.ServiceInventory{Services: []report.ServiceKind{}}
	rows, cat, err := a.inventory(ctx, req, a.store.Estate().ServiceInventory, &doc.Total, &doc.Next)
	for _, r := range rows {
		one := report.ServiceKind{Product: report.Text(r.Product()), Version: report.Text(r.Version()), Service: report.Text(r.Service()), Protocol: r.Protocol(),
			Ports: r.Ports[:min(len(r.Ports), mostPorts)], Hosts: r.Place.Hosts, Findings: r.Place.Findings, Decision: report.Text(r.Decision),
			KEV: exploitedOf(cat, r.Place.KEV)}
		if len(r.Ports) == 1 {
			one.Port = &r.Ports[0]
		}
		doc.Services = append(doc.Services, one)
	}
	return doc, err
}

// SoftwareInventory lists packages and components on hosts, a row for each name in each version.
func (a *App) SoftwareInventory(ctx context.Context, req request.Inventory) (report.SoftwareInventory, error) {
	doc := report.SoftwareInventory{Software: []report.SoftwareKind{}}
	rows, cat, err := a.inventory(ctx, req, a.store.Estate().SoftwareInventory, &doc.Total, &doc.Next)
	for _, r := range rows {
		doc.Software = append(doc.Software, report.SoftwareKind{Name: report.Text(r.Product()), Version: report.Text(r.Version()), Hosts: r.Place.Hosts,
			Findings: r.Place.Findings, Decision: report.Text(r.Decision), KEV: exploitedOf(cat, r.Place.KEV)})
	}
	return doc, err
}

// inventoryReader reads one of the inventories.
type inventoryReader func(context.Context, auth.View, store.InventoryQuery) ([]store.InventoryRow, int, error)

func (a *App) inventory(ctx context.Context, req request.Inventory, read inventoryReader, total *int, next **string) (
	page []store.InventoryRow, cat report.Catalogue, err error,
) {
	if err := a.checkExist(ctx, 0, req.Site); err != nil {
		return nil, cat, err
	}
	q := store.InventoryQuery{Site: req.Site, Text: req.Text, Product: req.Product, Port: req.Port, Limit: req.Limit}
	if q.After, err = inventoryPlace(req.Cursor); err != nil {
		return nil, cat, err
	}
	if cat, err = a.Catalogue(ctx); err != nil {
		return nil, cat, err
	}
	if q.Limit > 0 {
		q.Limit++ // is there more?
	}
	if page, *total, err = read(ctx, a.who.View, q); err != nil {
		return nil, cat, err
	}
	if req.Limit > 0 && len(page) > req.Limit {
		page = page[:req.Limit]
		cursor, err := inventoryCursor(page[req.Limit-1].Place)
		if err != nil {
			return nil, cat, err
		}
		*next = &cursor
	}
	return page, cat, nil
}

func inventoryCursor(at store.InventoryPlace) (string, error) {
	b, err := json.Marshal(at)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func inventoryPlace(text string) (at store.InventoryPlace, err error) {
	if text == "" {
		return at, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil || at == (store.InventoryPlace{}) {
		err = fault.InvalidOption("cursor", " %.80q: not one of ours", text)
	}
	return at, err
}
