package controls

import "slices"

// clauses are those of which each is covered by a control or left out with a reason:
// the trust services criteria (AICPA TSP section 100) for what a restoration vault
// can show, 45 CFR, the GDPR and Regulation (EU) 2024/1689.
var clauses = []string{
	"SOC2 CC6.1", "SOC2 CC6.2", "SOC2 CC6.3", "SOC2 CC6.5", "SOC2 CC6.6", "SOC2 CC6.7",
	"SOC2 CC7.1", "SOC2 CC7.2", "SOC2 CC7.3", "SOC2 CC7.4", "SOC2 CC7.5", "SOC2 CC8.1", "SOC2 CC9.2",
	"SOC2 A1", "SOC2 C1", "SOC2 PI1", "SOC2 P4", "SOC2 P5", "SOC2 P6", "SOC2 P7", "SOC2 P8",
	"HIPAA 164.308", "HIPAA 164.312", "HIPAA 164.316", "HIPAA 164.502(b)", "HIPAA 164.524", "HIPAA 164.528",
	"GDPR 5", "GDPR 12", "GDPR 15", "GDPR 17", "GDPR 18", "GDPR 25", "GDPR 28", "GDPR 30", "GDPR 32", "GDPR 33",
	"AIA 12",
}

// Clauses returns the closed list, in order.
func Clauses() []string { return slices.Clone(clauses) }
