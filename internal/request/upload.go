package request

// Import says what is known of reports that were uploaded.
type Import struct {
	Tool string // auto, or a tool's name
	Site string
	Host string // of records that name none; "" is the file's name
	Full bool   // they cover all their tool looks for on the hosts that were up
}

// News selects a channel of news; what is empty does not narrow it.
type News struct {
	Channel string // exploited, critical, latest
	Vendor  string
	Product string
	Search  string
	Limit   int
}
