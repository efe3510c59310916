package desk

func (d *Desk) subjectRoutes() []Route { return nil }
