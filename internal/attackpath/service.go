package attackpath

// RunsAs says as what a service runs, and why we think so.
func RunsAs(s Service, h Host) (Privilege, string) {
	return User, "nothing is known of what it runs as"
}

// LoginService says whether a service takes logins that give a session on the host, and why.
func LoginService(s Service) (bool, string) { return false, "" }

// IsClient says whether people sit at a host who open what they are sent, and why we think so.
func IsClient(h Host, p PolicySet) (bool, string) { return false, "" }
