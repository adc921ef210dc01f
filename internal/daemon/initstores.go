package daemon

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/config"
	"gondola/internal/feed"
	"gondola/internal/platform"
)

// ReadStores reads a list of stores from a CSV or a workbook.
func ReadStores(path string) ([]config.Vendor, error) {
	found, err := feed.ReadStores(path)
	stores := make([]config.Vendor, len(found))
	for i, v := range found {
		stores[i] = config.Vendor{ID: v.ID, Name: v.Name, ERPCode: v.ERPCode}
	}
	return stores, err
}

// Brands lists the brands by the names that the config has for them, the default first.
func Brands() []string {
	all := []string{config.DefaultBrand}
	for _, name := range platform.BrandNames() {
		if name != config.DefaultBrand {
			all = append(all, name)
		}
	}
	return all
}

// BrandHost returns the brand's SFTP server, "" where nobody outside knows it.
func BrandHost(brand string) string {
	b, _ := platform.LookupBrand(brand)
	return b.SFTPHost
}

// country is what is the same for nearly all chains of a country: proposals, which the admin sees and may change.
type country struct {
	zone     string
	decimals int // of the prices
}

// countries are those in which the platform's brands work, by the code that stands in the name of the login.
var countries = map[string]country{
	"AR": {"America/Argentina/Buenos_Aires", 2}, "BO": {"America/La_Paz", 2}, "CL": {"America/Santiago", NoDecimals},
	"CR": {"America/Costa_Rica", 2}, "DO": {"America/Santo_Domingo", 2}, "EC": {"America/Guayaquil", 2}, "GT": {"America/Guatemala", 2},
	"HN": {"America/Tegucigalpa", 2}, "NI": {"America/Managua", 2}, "PA": {"America/Panama", 2}, "PE": {"America/Lima", 2},
	"PY": {"America/Asuncion", NoDecimals}, "SV": {"America/El_Salvador", 2}, "UY": {"America/Montevideo", 2}, "VE": {"America/Caracas", 2},
	"AE": {"Asia/Dubai", 2}, "BH": {"Asia/Bahrain", 3}, "EG": {"Africa/Cairo", 2}, "IQ": {"Asia/Baghdad", NoDecimals}, "JO": {"Asia/Amman", 3},
	"KW": {"Asia/Kuwait", 3}, "OM": {"Asia/Muscat", 3}, "QA": {"Asia/Qatar", 2}, "SA": {"Asia/Riyadh", 2}, "TR": {"Europe/Istanbul", 2},
	"BD": {"Asia/Dhaka", 2}, "HK": {"Asia/Hong_Kong", 2}, "KH": {"Asia/Phnom_Penh", 2}, "LA": {"Asia/Vientiane", 2},
	"MM": {"Asia/Yangon", 2}, "MY": {"Asia/Kuala_Lumpur", 2}, "PH": {"Asia/Manila", 2}, "PK": {"Asia/Karachi", 2}, "SG": {"Asia/Singapore", 2},
	"TH": {"Asia/Bangkok", 2}, "TW": {"Asia/Taipei", NoDecimals},
}

// Propose fills in what the name of the login tells, <BRAND>_<CC>_<chain uuid> [partner]: the chain's id, the time zone and the decimals
// of the country; else the time zone of this machine. What is known already stays. Proposals are shown to the admin before they count.
func (in Installation) Propose() Installation {
	parts := strings.Split(in.User, "_")
	if len(parts) == 3 {
		trial := in
		trial.ChainID = parts[2]
		if in.ChainID == "" && trial.Check("chain.id") == nil {
			in.ChainID = strings.ToLower(parts[2])
		}
		c := countries[strings.ToUpper(parts[1])]
		in.TimeZone, in.PriceDecimals = cmp.Or(in.TimeZone, c.zone), cmp.Or(in.PriceDecimals, c.decimals)
	}
	in.TimeZone = cmp.Or(in.TimeZone, machineZone())
	return in
}

// machineZone returns the IANA name of this machine's time zone, "" where it has none or is a server in UTC, which says nothing about
// the stores.
func machineZone() string {
	name := os.Getenv("TZ")
	if name == "" {
		link, err := os.Readlink("/etc/localtime")
		if err != nil {
			return ""
		}
		_, name, _ = strings.Cut(filepath.ToSlash(link), "zoneinfo/")
	}
	name = strings.TrimPrefix(name, ":")
	if _, err := time.LoadLocation(name); err != nil || !strings.Contains(name, "/") || strings.HasPrefix(name, "Etc/") {
		return ""
	}
	return name
}
