package catalog

// GTINValid reports whether digits is a GTIN-8, -12, -13 or -14 whose last digit is right (GS1, modulo 10).
func GTINValid(digits string) bool {
	switch len(digits) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	sum := 0
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return false
		}
		n := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			n *= 3
		}
		sum += n
	}
	return sum%10 == 0
}
