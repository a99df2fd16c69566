package report

import "time"

// WorkerList is who runs tools.
type WorkerList struct {
	Workers []Worker `json:"workers"`
}

// Worker is a process that runs tools: of a site, or (site null) of the server itself.
type Worker struct {
	Name     Text            `json:"name" example:"scanner-1/4711"`
	Site     *string         `json:"site" example:"branch-office" doc:"null: of the server itself"`
	Version  Text            `json:"version" example:"1.0.0"`
	Capacity int             `json:"capacity" example:"2" doc:"tools that it runs at one time"`
	Started  time.Time       `json:"started"`
	LastSeen time.Time       `json:"last_seen"`
	Alive    bool            `json:"alive" doc:"whether it was seen lately"`
	Scanners []WorkerScanner `json:"scanners"`
}

// WorkerScanner is a scanner as one worker has it.
type WorkerScanner struct {
	Name      string `json:"name" example:"nmap"`
	Available bool   `json:"available"`
	Version   Text   `json:"version" example:"7.93"`
	Reason    Text   `json:"reason" doc:"why it cannot run there"`
	Parallel  int    `json:"parallel" example:"2" doc:"runs of it at one time"`
}
