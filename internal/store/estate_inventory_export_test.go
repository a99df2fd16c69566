package store

// ForgetInventory leaves a store as one that was just opened.
func ForgetInventory(s *Store) {
	s.inventory.mu.Lock()
	defer s.inventory.mu.Unlock()
	s.inventory.roll, s.inventory.kinds, s.inventory.standing, s.inventory.software = nil, nil, nil, nil
}
