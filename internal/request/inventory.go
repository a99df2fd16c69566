package request

// Compare asks what one scan found otherwise than another.
type Compare struct {
	Scan   int64
	With   int64  // 0 is the one before it of the same site and targets
	What   string // new, fixed, unchanged, not_looked
	Cursor string
	Limit  int
}

// Inventory selects services or software; what is empty does not narrow it.
type Inventory struct {
	Site    string
	Text    string
	Product string
	Port    uint16 // 0 is any
	Cursor  string
	Limit   int
}

// SLA says what an administrator sets; what is nil is left to the configuration file.
type SLA struct {
	Decision map[string]*int // act, attend, plan, track
	Severity map[string]*int // critical, high, medium, low, info
}
