package platform

import "slices"

// Brand is what differs between the platform's brands.
type Brand struct {
	Name string // as the configuration writes it

	// SFTPHost is the brand's server for files, in its region. "" where it is [unknown]: the configuration has to name it, as the
	// account manager did.
	SFTPHost string

	// API is the address of the brand's REST interface [doc].
	API string

	// OneIdentifier says that a row with both SKU and barcode is refused. Where the documentation is silent it is [assumed] true.
	// One identifier is right everywhere, so every writer keeps to it and this only explains why.
	OneIdentifier bool

	// MaxSales says that files may have the column maximum_sales_quantity. Only foodpanda documents it, for both kinds [doc]; for the
	// brands whose pages are silent it is [assumed] false, because an unknown column may cost the whole file.
	MaxSales bool

	// SingleFile says that the brand takes files for catalogue and promotions together, which [WriteAssortment] writes, besides two
	// separate ones [doc]. For brands whose pages do not name that format it is [assumed] false.
	SingleFile bool
}

// The platform's servers for files, one for each region [doc].
const (
	hostAmericas   = "vendor-automation-sftp-live-us.prod.aws.qcommerce.live"
	hostAsia       = "vendor-automation-sftp-live-ap.prod.aws.qcommerce.live"
	hostMiddleEast = "vendor-automation-sftp-live-me.prod.aws.qcommerce.live"
)

// LookupBrand returns the profile of the brand with that name, which is compared as written: lower case, no spaces.
func LookupBrand(name string) (Brand, bool) {
	for _, b := range brands() {
		if b.Name == name {
			return b, true
		}
	}
	return Brand{}, false
}

// BrandNames lists the names that [LookupBrand] knows, sorted.
func BrandNames() []string {
	var names []string
	for _, b := range brands() {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
}

// apiOf returns the address of a brand's REST interface [doc]. The platform's own sandbox is sandbox.partner.deliveryhero.io.
func apiOf(brand string) string { return "https://" + brand + ".partner.deliveryhero.io" }

func brands() []Brand {
	return []Brand{
		{Name: "pedidosya", API: apiOf("pedidosya"), SFTPHost: hostAmericas, OneIdentifier: true},
		{Name: "foodpanda", API: apiOf("foodpanda"), SFTPHost: hostAsia, MaxSales: true, SingleFile: true},
		{Name: "hungerstation", API: apiOf("hungerstation"), SFTPHost: hostMiddleEast, OneIdentifier: true, SingleFile: true},
		{Name: "talabat", API: apiOf("talabat"), SFTPHost: hostMiddleEast, OneIdentifier: true, SingleFile: true},
		{Name: "foodora", API: apiOf("foodora"), OneIdentifier: true},
		{Name: "glovo", API: apiOf("glovo"), OneIdentifier: true},
		{Name: "yemeksepeti", API: apiOf("yemeksepeti"), OneIdentifier: true},
	}
}
