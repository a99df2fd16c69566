package attackpath

import (
	"fmt"
	"strings"
)

// desktops are systems that people sit at.
var desktops = []string{"windows 7", "windows 8", "windows 10", "windows 11", "windows xp", "windows vista", "windows 2000 professional", "mac os x", "macos", "os x", "ubuntu desktop",
	"linux mint", "chrome os", "chromeos", "workstation", "elementary os", "pop!_os"}

// servers are words of systems that nobody opens mail on, though a desktop's name may stand beside them: nmap cannot tell
// Windows 10 from Windows Server 2016 and says both.
var servers = []string{"server", "iot", "embedded"}

// IsClient says whether people sit at a host who open what they are sent, and why we think so.
func IsClient(h Host, p PolicySet) (bool, string) {
	for _, tag := range h.Tags {
		switch tag = strings.ToLower(tag); tag {
		case "client", "clients", "workstation", "desktop", "laptop":
			return true, fmt.Sprintf("it is tagged %q", shorten(tag, 40))
		case "server":
			return false, "it is tagged \"server\""
		}
	}
	for _, network := range p.Clients {
		for _, a := range h.Addresses {
			if network.Contains(a.Unmap()) {
				return true, fmt.Sprintf("the policy declares %v as a network of clients", network)
			}
		}
	}
	return runsDesktop(h)
}

func runsDesktop(h Host) (bool, string) {
	os := strings.ToLower(shorten(h.OS, 300))
	for _, word := range servers {
		if strings.Contains(os, word) {
			return false, "its system, " + shorten(h.OS, 60) + ", is a server's"
		}
	}
	for _, word := range desktops {
		if strings.Contains(os, word) {
			return true, "its system, " + shorten(h.OS, 60) + ", is one that people sit at"
		}
	}
	for _, c := range h.CPEs[:min(len(h.CPEs), 16)] {
		for _, name := range []string{":windows_7:", ":windows_8", ":windows_10", ":windows_11", ":windows_xp:", ":windows_vista:", ":mac_os_x:", ":macos:", ":chrome_os:"} {
			if strings.HasPrefix(c, "cpe:2.3:o:") && strings.Contains(c, name) && os == "" {
				return true, "its system, " + shorten(c, 80) + ", is one that people sit at"
			}
		}
	}
	return false, "nothing says that people sit at it"
}
