package feed

import (
	"slices"

	"gondola/internal/catalog"
)

// Roles returns the roles that a config may name columns for in exports of a kind, in the order of their constants. The store's column
// is not among them: the config names it elsewhere.
func Roles(kind catalog.Kind) []Role {
	if kind == catalog.KindPromotions {
		return slices.Clone(promotionRoles)
	}
	return slices.Clone(catalogueRoles)
}

var (
	catalogueRoles = []Role{RoleSKU, RoleBarcode, RolePrice, RoleActive, RoleQuantity, RoleMaxSales}
	promotionRoles = []Role{
		RoleSKU, RoleBarcode, RoleMaxSales, RoleCampaign, RoleReason, RoleStart, RoleEnd, RoleOffer, RoleOfferPrice, RolePercent,
		RoleType, RoleBenefit, RoleDetails, RoleDiscount, RoleUsageLimit, RoleMaxOrders, RoleStatus,
	}
	// numberRoles are those whose columns have a decimal convention.
	numberRoles = []Role{
		RolePrice, RoleQuantity, RoleMaxSales, RoleOffer, RoleOfferPrice, RolePercent, RoleDiscount, RoleUsageLimit, RoleMaxOrders,
	}
)

// knownWords returns the headers that are understood in exports of a kind, squeezed.
func knownWords(kind catalog.Kind) map[string]Role {
	words := map[string]Role{}
	for _, group := range headerWords {
		// What is a price, a flag or stock in the catalogue means something else beside an offer, or nothing.
		if kind == catalog.KindPromotions && !slices.Contains(promotionRoles, group.role) && group.role != RoleVendor {
			continue
		}
		for _, w := range group.words {
			words[squeeze(w)] = group.role
		}
	}
	if kind == catalog.KindPromotions {
		for _, group := range promotionWords {
			for _, w := range group.words {
				words[squeeze(w)] = group.role
			}
		}
	}
	return words
}
