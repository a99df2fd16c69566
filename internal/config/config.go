// Package config builds the one Config of a process: defaults, then the file, then the environment, then flags. Nothing
// below package app reads the environment or a configuration file. It never opens a connection or a database.
package config

import (
	"os"
	"path/filepath"
)

// Config is every setting of PatchScout. The `koanf` names are the keys of the YAML file; the environment variable of
// a key is PATCHSCOUT_ and the key in capitals with "_" for ".", so feeds.nvd.url is PATCHSCOUT_FEEDS_NVD_URL.
type Config struct {
	DataDir     string    `koanf:"data_dir"`       // folder of the databases, downloads and the text index
	DatabaseURL Secret    `koanf:"database_url"`   // "" is SQLite in the data folder; else postgres://…
	GraphURL    Secret    `koanf:"graph_url"`      // Neo4j that attack paths are written to, too: bolt://host:7687 or bolt+s://…; "" is none
	GraphUser   string    `koanf:"graph_user"`     // its user, with graph_password
	GraphPass   Secret    `koanf:"graph_password"` // "" asks without a login, unless graph_url has one
	LLMURL      Secret    `koanf:"llm_url"`        // language model that words answers: http://127.0.0.1:11434/v1; "" is none
	LLMModel    string    `koanf:"llm_model"`      // its name; "" takes the first that the server lists
	LLMKey      Secret    `koanf:"llm_key"`        // sent as Bearer; "" is none
	Progress    bool      `koanf:"progress"`       // progress bars on a terminal
	Log         Log       `koanf:"log"`
	Scan        Scan      `koanf:"scan"`
	Nmap        Nmap      `koanf:"nmap"`
	OpenVAS     OpenVAS   `koanf:"openvas"`
	Nessus      Nessus    `koanf:"nessus"`
	Nikto       Nikto     `koanf:"nikto"`
	Nuclei      Nuclei    `koanf:"nuclei"`
	Feeds       Feeds     `koanf:"feeds"`
	Outbound    Outbound  `koanf:"outbound"`
	Reports     Reports   `koanf:"reports"`
	SLA         SLA       `koanf:"sla"`
	Server      Server    `koanf:"server"`
	OIDC        OIDC      `koanf:"oidc"`
	Jobs        Jobs      `koanf:"jobs"`
	Assistant   Assistant `koanf:"assistant"`
	Telemetry   Telemetry `koanf:"telemetry"`
}

// Log says where log lines go and how they look.
type Log struct {
	Format    string `koanf:"format"`      // text or json
	Level     string `koanf:"level"`       // debug, info, warn, error; of serve and worker info unless it is set
	File      string `koanf:"file"`        // also written here, always as JSON; "" is no file
	MaxSizeMB int    `koanf:"max_size_mb"` // the file is rotated at this size
	MaxFiles  int    `koanf:"max_files"`   // rotated files that are kept
}

// Feeds says where the publishers' files come from, and when.
type Feeds struct {
	Mirror        string  `koanf:"mirror"` // a folder or URL that holds the files, instead of the publishers
	NVD           NVDFeed `koanf:"nvd"`
	CVEList       Feed    `koanf:"cvelist"`
	KEV           Feed    `koanf:"kev"`
	EPSS          Feed    `koanf:"epss"`
	ExploitDB     Feed    `koanf:"exploitdb"`
	Metasploit    Feed    `koanf:"metasploit"`
	Nuclei        Feed    `koanf:"nuclei"`
	Attack        Feed    `koanf:"attack"`
	CTID          Feed    `koanf:"ctid"`
	CWE           Feed    `koanf:"cwe"`
	URLhaus       Feed    `koanf:"urlhaus"`
	ThreatFox     Feed    `koanf:"threatfox"`
	Feodo         Feed    `koanf:"feodo"`
	MalwareBazaar Feed    `koanf:"malwarebazaar"`
	AbuseCH       AbuseCH `koanf:"abusech"`
}

// Feed is one publisher.
type Feed struct {
	Enabled  bool   `koanf:"enabled"`  // whether it is loaded
	URL      string `koanf:"url"`      // folder of the feed's file; "" is the publisher's own
	Schedule string `koanf:"schedule"` // when it is due: @every 6h, @daily, or cron's five fields; "" is never by itself
}

// NVDFeed is NVD, which has files and an API.
type NVDFeed struct {
	Enabled  bool   `koanf:"enabled"`  // whether it is loaded
	URL      string `koanf:"url"`      // folder of the feed files; "" is NVD's own
	Schedule string `koanf:"schedule"` // when it is due; "" is never by itself
	APIURL   string `koanf:"api_url"`  // used when the files cannot be had and by cve --refresh; "" is NVD's own
	APIKey   Secret `koanf:"api_key"`  // raises the API's limit from 5 to 50 requests in 30 s
}

// AbuseCH is the account with abuse.ch, which publishes URLhaus, ThreatFox, Feodo Tracker and MalwareBazaar.
type AbuseCH struct {
	AuthKey Secret `koanf:"auth_key"` // free from https://auth.abuse.ch/; most of its downloads need it
}

// Outbound says how connections leave this machine.
type Outbound struct {
	Proxy  Secret `koanf:"proxy"`   // http(s)://[user:password@]host:port; "" connects directly
	CAFile string `koanf:"ca_file"` // PEM bundle trusted beside the system's
}

// Default is the configuration of a machine on which nothing was set up.
func Default() Config {
	return Config{
		DataDir:   defaultDataDir(),
		Progress:  true,
		GraphUser: "neo4j",
		Log:       Log{Format: "text", Level: "error", MaxSizeMB: 20, MaxFiles: 5},
		Scan:      defaultScan(),
		Feeds:     defaultFeeds(),
		Reports:   defaultReports(),
		Server:    defaultServer(),
		OIDC:      defaultOIDC(),
		Jobs:      defaultJobs(),
		Assistant: defaultAssistant(),
		Telemetry: defaultTelemetry(),
	}
}

// defaultDataDir follows the XDG base directory specification: $XDG_DATA_HOME, else ~/.local/share. Relative values of
// XDG_DATA_HOME are ignored, as the specification asks. "" when there is no home: Validate then asks for --data-dir.
func defaultDataDir() string {
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "patchscout")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share", "patchscout")
}
