package feed

// roleEither is a header that names a flag in one export and a count in the next; the cells below it tell which.
const roleEither Role = "active or quantity"

// roleWords are the headers that mean one role.
type roleWords struct {
	role  Role
	words []string
}

// headerWords are the headers that are understood without configuration, in Spanish, Portuguese and English. They are compared
// without case, accents, punctuation and spaces, and only as a whole. What can mean something else in a shop is left out on
// purpose, and the config names it: "Artículo" is as often the name as the code, "Precio de lista" is not the price on the shelf,
// "Estado" may be a province.
var headerWords = []roleWords{
	{RoleSKU, []string{
		"sku", "código", "cod", "code", "código artículo", "cod artículo", "código de artículo", "cod de artículo", "cod art",
		"código del artículo", "código producto", "código de producto", "código del producto", "cod producto",
		"cod de producto",
		"cod prod", "código interno", "cod interno", "código item", "cod item", "código de item", "código sku", "cod sku",
		"sku id",
		"número de artículo", "nro artículo", "nro de artículo", "núm artículo", "nº artículo", "n artículo", "id artículo",
		"id producto", "clave", "clave artículo", "clave producto", "referencia", "plu", "código plu", "material",
		"código material",
		"código produto", "código do produto", "cod produto", "cod do produto", "id produto", "código do item",
		"código do artigo",
		"item code", "item number", "item no", "item id", "article code", "article number", "product code", "product id",
		"product sku", "product number", "seller sku",
	}},
	{RoleBarcode, []string{
		"código de barras", "código barras", "código de barra", "código barra", "cod de barras", "cod barras", "cod de barra",
		"cod barra", "barras", "ean", "ean 13", "ean 8", "código ean", "cod ean", "ean upc", "ean gtin", "gtin", "gtin 13",
		"gtin ean",
		"código gtin", "cod gtin", "upc", "upc a", "código upc", "barcode", "bar code", "barcodes", "item barcode",
		"product barcode",
	}},
	{RolePrice, []string{
		"precio", "pvp", "precio venta", "precio de venta", "precio venta público", "precio venta al público",
		"precio de venta público", "precio de venta al público", "precio público", "precio al público", "precio final",
		"precio final al público", "precio unitario", "precio unit", "precio c iva", "precio con iva", "precio iva incluido",
		"precio iva incl", "precio iva inc", "precio con impuestos", "precio final con iva", "precio venta con iva",
		"precio de venta con iva", "precio venta c iva", "pvp con iva", "pvp c iva", "pvp iva incluido", "precio pvp",
		"p venta",
		"precio actual", "precio vigente", "precio normal", "precio regular",
		"preço", "preço venda", "preço de venda", "preço final", "preço unitário", "preço ao consumidor", "preço consumidor",
		"preço c iva", "preço com iva", "preço com impostos", "preço atual",
		"price", "selling price", "retail price", "unit price", "current price", "price incl vat", "price incl tax",
		"price with vat", "price with tax",
	}},
	{RoleActive, []string{
		"activo", "activa", "habilitado", "habilitada", "artículo activo", "producto activo", "activo s n", "está activo",
		"ativo", "ativa", "produto ativo", "ativo s n", "active", "is active", "enabled", "active y n",
	}},
	{RoleQuantity, []string{
		"stock", "existencia", "existencias", "cantidad", "cant", "stock actual", "stock disponible", "cantidad disponible",
		"cantidad en stock", "cant stock", "cant disponible", "existencia actual", "inventario", "stk", "saldo stock",
		"stock unidades", "stock total", "estoque", "estoque atual", "estoque disponível", "quantidade",
		"quantidade disponível",
		"quantidade em estoque", "qtd", "qtde", "qtd estoque", "qtde estoque", "saldo estoque", "saldo em estoque",
		"quantity", "qty", "stock level", "stock quantity", "stock qty", "quantity available", "available quantity",
		"in stock qty",
		"on hand", "qty on hand", "quantity on hand", "available stock", "inventory",
	}},
	{roleEither, []string{"disponible", "disponível", "available", "disponibilidad", "disponibilidade", "availability"}},
	{RoleMaxSales, []string{
		"maximum sales quantity", "max sales quantity", "max quantity", "max qty", "maximum quantity", "max per order",
		"maximum per order", "max qty per order", "cantidad máxima", "cant máx", "cant máxima", "cantidad máx",
		"cantidad máxima de venta", "cantidad máxima por pedido", "cant máx por pedido", "máximo por pedido", "máx por pedido",
		"máximo por compra", "máx por compra", "máximo por orden", "límite por pedido", "límite por compra", "límite de compra",
		"tope por pedido", "venta máxima", "máx venta", "quantidade máxima", "quantidade máxima por pedido", "qtd máx",
		"qtd máxima",
		"qtde máx", "qtde máxima", "limite por pedido", "venda máxima",
	}},
	{RoleVendor, []string{
		"sucursal", "tienda", "local", "código sucursal", "cod sucursal", "código de sucursal", "nro sucursal", "id sucursal",
		"código tienda", "cod tienda", "código de tienda", "id tienda", "código local", "cod local", "código de local",
		"id local",
		"punto de venta", "depósito", "almacén", "bodega", "centro", "loja", "filial", "código loja", "cod loja",
		"código da loja",
		"id loja", "código filial", "cod filial", "store", "store code", "store id", "branch", "branch code", "vendor",
		"vendor id",
		"vendor code", "outlet",
	}},
}

// headerSample are the words that a person is told were looked for when no header was found: one of each role that matters most.
var headerSample = []string{
	"SKU", "Código", "Código de barras", "EAN", "Precio", "Preço", "Price", "Stock", "Estoque", "Activo", "Ativo",
}

// yesWords and noWords are what stands for true and false, compared like headers but with their spaces.
var (
	yesWords = []string{
		"si", "s", "x", "1", "verdadero", "v", "activo", "activa", "act", "alta", "habilitado", "habilitada", "disponible",
		"en stock", "con stock", "en venta", "vigente", "sim", "verdadeiro", "ativo", "ativa", "disponível", "em estoque",
		"yes", "y",
		"true", "t", "active", "enabled", "available", "in stock", "on", "ok", "activado", "activada", "ativado", "ativada",
		"a la venta", "con existencia", "con existencias", "hay", "hay stock", "publicado", "publicada", "à venda", "com estoque",
	}
	noWords = []string{
		"no", "n", "0", "falso", "f", "inactivo", "inactiva", "inact", "baja", "deshabilitado", "deshabilitada",
		"no disponible",
		"agotado", "agotada", "sin stock", "suspendido", "suspendida", "discontinuado", "discontinuada", "descontinuado",
		"descontinuada", "no activo", "no activa", "pausado", "pausada", "bloqueado", "bloqueada", "não", "inativo",
		"inativa", "baixa",
		"desabilitado", "desabilitada", "desativado", "desativada", "desactivado", "desactivada", "indisponível",
		"não disponível",
		"esgotado", "esgotada", "sem estoque", "suspenso", "suspensa", "false", "inactive", "disabled", "unavailable",
		"not available",
		"out of stock", "sold out", "discontinued", "off", "inhabilitado", "inhabilitada", "de baja", "dado de baja", "no hay",
		"no hay stock", "sin existencia", "sin existencias", "fuera de stock", "no vigente", "no habilitado", "no habilitada",
		"no publicado", "no publicada", "anulado", "anulada", "eliminado", "eliminada", "fora de estoque", "fora de linha",
		"não ativo", "não ativa",
	}
)

// totalWords begin a line of totals.
var totalWords = []string{
	"total", "totales", "subtotal", "subtotales", "sub total", "gran total", "suma", "sumas", "suma total", "totais",
	"subtotais",
	"soma", "total geral", "totals", "subtotals", "grand total", "sum",
}

// currencyWords are the signs and codes that stand around amounts in the platform's countries, and the dollar and euro.
var currencyWords = []string{
	"$", "R$", "US$", "U$S", "USD", "$U", "UYU", "$U.", "ARS", "AR$", "CLP", "CLP$", "CL$", "Gs.", "Gs", "₲", "PYG",
	"S/", "S/.", "PEN",
	"Bs", "Bs.", "BOB", "Bs.S", "VES", "€", "EUR", "BRL", "COP", "COL$", "MXN", "MX$", "M.N.", "U$D", "U$", "USD$",
	"pesos", "₡", "CRC", "Q", "Q.", "GTQ", "L", "L.",
	"Lps", "Lps.", "HNL", "C$", "NIO", "RD$", "DOP", "B/", "B/.", "PAB", "reais", "dólares", "dolares", "guaraníes",
	"guaranies", "soles", "bolivianos", "bolívares", "bolivares", "quetzales", "lempiras", "colones", "córdobas", "cordobas",
	"balboas", "peso", "sol", "real", "Bs.D", "Bs.F", "VED", "U$S.", "UY$", "$UY", "MN", "MXN$", "G$",
}

// unitWords may follow a quantity. Grams and millilitres are left out: 500 g of what is sold by the kilo is not 500 of it.
var unitWords = []string{
	"kg", "kg.", "kgs", "kgs.", "kilo", "kilos", "un", "un.", "und", "und.", "uni",
	"uni.", "unid", "unid.", "u", "u.", "U", "U.",
	"uds", "uds.", "unidad", "unidades", "unidade", "unit", "units", "pz", "pz.", "pza", "pza.", "pzas", "pzas.", "pc",
	"pcs", "pcs.", "ea", "l", "l.", "L", "L.", "lt", "lt.", "lts",
	"lts.", "litros", "cj", "cx", "caja", "cajas", "caixa", "caixas", "bulto", "bultos", "m", "mts",
}
