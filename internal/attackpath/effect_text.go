package attackpath

func (r Reach) String() string {
	return [...]string{"nowhere", "network", "link", "host"}[min(r, OnHost)]
}

func (g Gain) String() string {
	return [...]string{"nothing", "service", "user", "root", "login", "app-admin", "reads", "writes"}[min(g, WritesFiles)]
}
