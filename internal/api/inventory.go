package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// inventories is what this resource needs of the product.
type inventories interface {
	ServiceInventory(ctx context.Context, req request.Inventory) (report.ServiceInventory, error)
	SoftwareInventory(ctx context.Context, req request.Inventory) (report.SoftwareInventory, error)
}

type servicesInput struct {
	InventoryQuery
	Port    uint16 `query:"port" minimum:"1" maximum:"65535" example:"22" doc:"only what answers here"`
	Product string `query:"product" maxLength:"255" example:"openssh" doc:"words in the product"`
}

// InventoryQuery narrows and pages what is out there. It is exported, or its fields would not be read where it is embedded.
type InventoryQuery struct {
	Search string `query:"search" maxLength:"255" example:"openssl" doc:"words in the name or version"`
	Site   string `query:"site" maxLength:"63" example:"default" doc:"only this site"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"the page after this one: next of the answer before, with the same filter"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" example:"50" doc:"how many"`
}

func (in *InventoryQuery) request() request.Inventory {
	return request.Inventory{Text: in.Search, Site: in.Site, Cursor: in.Cursor, Limit: in.Limit}
}

type (
	servicesOutput struct{ Body report.ServiceInventory }
	softwareOutput struct{ Body report.SoftwareInventory }
)

func (s *Server) inventoryOperations() {
	handle(s, operation{ID: "list-services", Errors: named, Method: http.MethodGet, Path: "/assets/services", Tag: "assets", Role: auth.Viewer,
		Summary:     "What answers on hosts, by product and version",
		Description: "The most urgent first. Only what is written alike is one row. A service that every scanner that saw it no longer finds is not counted."},
		func(ctx context.Context, d Desk, in *servicesInput) (*servicesOutput, error) {
			req := in.request()
			req.Port, req.Product = in.Port, in.Product
			doc, err := d.ServiceInventory(ctx, req)
			return &servicesOutput{doc}, err
		})
	handle(s, operation{ID: "list-software", Errors: named, Method: http.MethodGet, Path: "/assets/software", Tag: "assets", Role: auth.Viewer,
		Summary: "Packages and components on hosts, by name and version",
		Description: "The most urgent first. They are those of imported reports and lists of components that findings are about which stand: of a component " +
			"that nothing is known against no more is kept than that it was read."},
		func(ctx context.Context, d Desk, in *InventoryQuery) (*softwareOutput, error) {
			doc, err := d.SoftwareInventory(ctx, in.request())
			return &softwareOutput{doc}, err
		})
}
