package report

// SeverityCounts are confirmed findings that stand, by severity.
type SeverityCounts struct {
	Critical int `json:"critical" example:"1"`
	High     int `json:"high" example:"4"`
	Medium   int `json:"medium" example:"9"`
	Low      int `json:"low" example:"2"`
	Info     int `json:"info" example:"0"`
	Unknown  int `json:"unknown" example:"0" doc:"nobody has rated them"`
}

// HostListed is a host of a list with what its confirmed findings that stand come to.
type HostListed struct {
	Host
	Findings SeverityCounts `json:"findings"`
	Decision Text           `json:"decision" doc:"of the most urgent one; null where there is none"`
	KEV      *int           `json:"kev" example:"1" doc:"how many are known to be exploited; null where CISA's list was never loaded"`
}

// HostPage is one page of hosts.
type HostPage struct {
	Hosts []HostListed `json:"hosts"`
	Total int          `json:"total" example:"250" doc:"on all pages"`
	Next  *string      `json:"next" example:"42" doc:"the cursor of the next page, with the same filter and sort; null at the end"`
}

// ServiceKind is one product in one version that answers somewhere.
type ServiceKind struct {
	Product  Text     `json:"product"`
	Version  Text     `json:"version"`
	Service  Text     `json:"service"`
	Protocol string   `json:"protocol" example:"tcp"`
	Port     *uint16  `json:"port" example:"22" doc:"where all of them answer; null where they answer at several"`
	Ports    []uint16 `json:"ports" example:"[22]" doc:"the lowest of them, at most twenty"`
	Hosts    int      `json:"hosts" example:"12"`
	Findings int      `json:"findings" example:"31" doc:"confirmed ones that stand, at these services"`
	Decision Text     `json:"decision" doc:"of the most urgent one; null where there is none"`
	KEV      *int     `json:"kev" example:"1" doc:"how many are known to be exploited; null where CISA's list was never loaded"`
}

// ServiceInventory is a page of what answers on hosts, the most urgent first.
type ServiceInventory struct {
	Services []ServiceKind `json:"services"`
	Total    int           `json:"total" example:"80" doc:"on all pages"`
	Next     *string       `json:"next" example:"WyJvcGVuc3NoIl0" doc:"the cursor of the next page, with the same filter; null at the end"`
}

// SoftwareKind is one package or component in one version that is installed somewhere.
type SoftwareKind struct {
	Name     Text `json:"name" example:"openssl"`
	Version  Text `json:"version" doc:"null where the report does not say it"`
	Hosts    int  `json:"hosts" example:"12"`
	Findings int  `json:"findings" example:"31" doc:"confirmed ones that stand, in this package"`
	Decision Text `json:"decision" doc:"of the most urgent one; null where there is none"`
	KEV      *int `json:"kev" example:"1" doc:"how many are known to be exploited; null where CISA's list was never loaded"`
}

// SoftwareInventory is a page of packages and components, the most urgent first.
type SoftwareInventory struct {
	Software []SoftwareKind `json:"software"`
	Total    int            `json:"total" example:"80" doc:"on all pages"`
	Next     *string        `json:"next" example:"WyJvcGVuc3NsIl0" doc:"the cursor of the next page, with the same filter; null at the end"`
}
