package feed

// promotionWords are the headers of promotions that are understood without configuration, beside those of headerWords for the
// identifiers, the store and the maximum per order; compared like them. What can mean something else is left out on purpose: "Precio"
// is the normal price, "Precio final" may be either, "Vencimiento" is when the food spoils, "Tipo de promoción" holds anything, "Estado"
// may be a province, "Desc." is the description.
var promotionWords = []roleWords{
	{RoleCampaign, []string{
		"campaña", "nombre campaña", "nombre de campaña", "nombre de la campaña", "nombre promoción", "nombre de promoción",
		"nombre de la promoción", "nombre promo", "nombre oferta", "nombre de la oferta", "campanha", "nome campanha",
		"nome da campanha", "nome da promoção", "nome promoção", "campaign", "campaign name", "promotion name", "promo name",
		"offer name",
	}},
	{RoleReason, []string{
		"reason", "promotion reason", "motivo", "motivo promoción", "motivo de la promoción", "motivo da promoção",
	}},
	{RoleStart, []string{
		"desde", "inicio", "fecha inicio", "fecha de inicio", "fecha inicial", "fecha desde", "desde fecha", "fec inicio", "fec desde",
		"inicio promo", "inicio promoción", "inicio de promoción", "inicio de la promoción", "inicio oferta", "inicio de oferta",
		"fecha inicio promo", "fecha inicio promoción", "fecha inicio oferta", "inicio vigencia", "inicio de vigencia",
		"fecha inicio vigencia", "vigencia desde", "vigencia inicio", "vigente desde", "válido desde", "válida desde",
		"fecha y hora inicio", "fecha hora inicio", "comienzo", "fecha comienzo", "fecha de comienzo", "comienza", "empieza",
		"a partir de", "promo desde", "oferta desde", "data início", "data de início", "data inicial", "data inicio promoção",
		"início promoção", "início da promoção", "início da oferta", "início vigência", "início da vigência", "vigência início",
		"válido de", "válida de", "válido a partir de", "from", "from date", "date from", "start", "start date", "starts",
		"starts on", "start date time", "start datetime", "valid from", "begin date", "begins", "begin", "promo start",
		"promotion start", "promo start date", "promotion start date", "offer start", "offer start date",
	}},
	{RoleEnd, []string{
		"hasta", "fin", "fecha fin", "fecha de fin", "fecha final", "fecha hasta", "hasta fecha", "fec fin", "fec hasta", "fin promo",
		"fin promoción", "fin de promoción", "fin de la promoción", "fin oferta", "fin de oferta", "fecha fin promo",
		"fecha fin promoción", "fecha fin oferta", "fin vigencia", "fin de vigencia", "fecha fin vigencia", "vigencia hasta",
		"vigencia fin", "vigente hasta", "válido hasta", "válida hasta", "fecha y hora fin", "fecha hora fin",
		"fecha finalización", "fecha de finalización", "finalización", "finaliza", "término", "fecha término",
		"fecha de término", "termina", "promo hasta", "oferta hasta", "até", "fim", "data fim", "data de fim", "data final",
		"data término", "data de término", "fim promoção", "fim da promoção", "fim da oferta", "término da promoção",
		"fim vigência", "fim da vigência", "vigência fim", "válido até", "válida até", "to", "to date", "date to", "until", "end",
		"end date", "ends", "ends on", "end date time", "end datetime", "valid to", "valid until", "valid till", "valid thru",
		"valid through", "finish date", "promo end", "promotion end", "promo end date", "promotion end date", "offer end",
		"offer end date",
	}},
	{RoleOffer, []string{
		"oferta", "promo", "promoción", "mecánica", "mecánica promo", "mecánica promoción", "mecánica de la promoción",
		"mecánica promocional", "promoção", "mecânica", "mecânica da promoção", "mecânica promocional", "offer", "deal", "promotion",
		"mechanic", "promo mechanic", "promotion mechanic", "offer mechanic",
	}},
	{RoleOfferPrice, []string{
		"precio oferta", "precio de oferta", "precio en oferta", "precio de la oferta", "p oferta", "pvp oferta", "precio promo",
		"precio de promo", "precio en promo", "precio promoción", "precio de promoción", "precio en promoción",
		"precio de la promoción", "precio promocional", "pvp promo", "pvp promoción", "pvp promocional", "precio con descuento",
		"precio c descuento", "precio con dto", "precio con promo", "precio con promoción", "precio rebajado",
		"precio oferta con iva", "precio oferta c iva", "precio promo con iva", "precio promocional con iva", "preço oferta",
		"preço de oferta", "preço da oferta", "preço em oferta", "preço promo", "preço promoção", "preço de promoção",
		"preço da promoção", "preço em promoção", "preço promocional", "preço com desconto", "preço c desconto",
		"discounted price", "discount price", "offer price", "promo price", "promotion price", "promotional price", "sale price",
		"deal price", "price after discount",
	}},
	{RolePercent, []string{
		"descuento", "% descuento", "descuento %", "% de descuento", "porcentaje descuento",
		"porcentaje de descuento", "porc descuento", "porc de descuento", "dto", "% dto", "dto %", "% de dto", "% desc", "desc %",
		"descuento porcentaje", "descuento porcentual", "% off", "off %", "desconto", "% desconto", "desconto %", "% de desconto",
		"percentual desconto", "percentual de desconto", "porcentagem desconto", "porcentagem de desconto", "discount",
		"discount %", "% discount", "discount percent", "discount percentage", "percentage discount", "percent discount",
		"discount pct", "pct discount", "percent off", "percentage off",
	}},
	{RoleType, []string{"promotion type"}},
	{RoleBenefit, []string{"promotion sub type", "promotion subtype"}},
	{RoleDetails, []string{"bundle details"}},
	{RoleDiscount, []string{"bundle discount"}},
	{RoleUsageLimit, []string{
		"discount usage limit", "usage limit", "límite de usos", "límite usos", "límite de usos por pedido", "usos por pedido",
		"máximo de usos por pedido", "limite de usos por pedido", "uses per order",
	}},
	{RoleMaxOrders, []string{
		"max no of orders", "max number of orders", "maximum number of orders", "max orders", "maximum orders", "límite de pedidos",
		"límite pedidos", "máximo de pedidos", "máx pedidos", "máx de pedidos", "cantidad máxima de pedidos", "tope de pedidos",
		"limite de pedidos", "máximo pedidos", "quantidade máxima de pedidos", "order limit",
	}},
	{RoleStatus, []string{
		"campaign status", "campaign active", "promotion active", "promo active", "activo", "activa", "habilitado", "habilitada",
		"activo s n", "activa s n", "está activa", "promo activa", "promoción activa", "oferta activa", "campaña activa", "ativo",
		"ativa", "ativa s n", "promoção ativa", "oferta ativa", "campanha ativa", "active", "is active", "enabled", "active y n",
	}},
}

// promotionSample is headerSample for promotions.
var promotionSample = []string{
	"SKU", "Código", "Código de barras", "EAN", "Oferta", "Precio oferta", "Preço promocional", "Offer", "Desde", "Hasta", "Início",
	"Fim", "Start date", "End date",
}
