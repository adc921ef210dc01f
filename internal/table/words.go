package table

import (
	"slices"
	"strings"
	"sync"
)

// knownWords are words with letters above ASCII that exports of groceries are full of, in Spanish and Portuguese, and names of goods
// that have letters of other languages. Those are here that could be read otherwise in another code page, and those that a short list
// is likely to consist of.
const knownWords = `
código códigos artículo artículos descripción categoría categorías título línea líneas número números métrico orgánico orgánica
único única únicos últimas último última público día días básico básica artesanía crédito débito depósito almacén sección
teléfono electrónico dirección región país según más también está están así aquí allí acción además sólo sábado miércoles válido
válida promoción liquidación presentación versión edición colección duración atención unión máximo mínimo máxima mínima azúcar
café té cafés tés jamón limón melón sandía plátano plátanos maíz maní piña piñas ñoquis ñoqui ñandú ñame champiñón champiñones
camarón salmón atún lácteo lácteos lácteas fréjol orégano ají ajíes rúcula brócoli espárrago espárragos higuerón melocotón
almíbar níspero dátil dátiles pasión maracuyá açaí piñón piñones sésamo ajonjolí cúrcuma azafrán pimentón salchichón señor
señora niño niña niños niñas bebé bebés año años baño baños pañal pañales paño paños uña uñas cabaña caña cañas montaña españa
español española leña añejo añeja pequeño pequeña tamaño tamaños muñeca sueño enseñanza rebaño castaña castañas cañón viña viñas
lasaña lasañas pestaña pestañas araña champaña albañil señal cuñado compañía otoño jabón champú champús algodón loción tapón
cartón botellón bidón galón sifón cajón sazón líquido líquida líquidos sólido sólida húmedo húmeda plástico plástica plásticos
térmico térmica eléctrico eléctrica automático mágico mágica clásico clásica clásicos rápido rápida cítrico cítrica frío fría
fríos fácil fáciles útil útiles ágil hábil árbol árboles ácido ácida águila ámbar ángel ángeles área áspero álbum índice ítem
ítems índigo óleo óptimo óptica oído época éxito únicamente alcohólica alcohólico alcohólicas césped lápiz lápices móvil
librería papelería panadería pastelería carnicería verdulería pescadería fiambrería quesería perfumería droguería lotería
lavandería higiénico higiénica bombón turrón budín chupetín bombín calcetín sillón colchón pantalón camisón cinturón batería
baterías energía energías ecológico ecológica hidratación purificación ambientación protección reparación puré purés paté patés
consomé soufflé rosé filé menú menús bambú caribú tabú pingüino pingüinos agüita agüero cigüeña bilingüe vacío vacía río raíz
raíces caída jardín jardinería máscara máscaras lágrima lágrimas lámpara lámparas sábana sábanas sartén pájaro cántaro búfalo
anís coñac cóctel cócteles vermú cachaça ananá papá mamá sofá maná acá allá quizá ojalá jamás compás detrás atrás través demás
inglés francés japonés holandés irlandés portugués escocés danés cordobés marsellés açúcar açúcares pão pães feijão feijões maçã
maçãs mamão limão limões melão melões pimentão pimentões agrião macarrão camarão salmão leão coração corações algodão sabão
sabões botão botões fogão fogões cartão cartões caminhão requeijão mexilhão grão grãos mão mãos irmão irmãos não são então
pinhão alemão alemã irmã irmãs manhã manhãs lã lãs romã romãs hortelã avelã avelãs órfã informação informações opção opções
promoção promoções seção seções porção porções loção loções edição coleção descrição descrições preço preços peça peças laço
laços maço maços almoço almoços poço braço pescoço criança crianças cabeça bagaço calça calças taça taças onça onças louça
louças roça roças lança força forças caça poça praça licença licenças aliança começo endereço serviço serviços espaço espaços
cachaças linguiça linguiças lingüiça alça alças doçura doçuras moça moças cupuaçu açafrão aço moçambique graça graças traço
terço berço berços pedaço pedaços palhaço mudança graúdo pêssego pêssegos pêra pêras você vocês bebê bebês três mês português
francês inglês tênis gênero ciência ciências frequência conveniência agência mercê ipê cê dendê patê purê glacê crochê consomê
lêvedo avô avós ônibus ômega estômago lâmpada lâmpadas lâmina lâminas câmera cânhamo câncer pântano trânsito hambúrguer
hambúrgueres orgânico orgânica orgânicos orgânicas atlântico britânica botânico botânica mecânico mecânica ângulo âmbar âncora
âmbito ânfora infância distância importância fragrância substância tâmara tâmaras amêndoa amêndoas econômico econômica
econômicos eletrônico eletrônica eletrônicos doméstico doméstica domésticos antônio cômodo cômoda fenômeno bônus tônico tônica
pônei cônico polônia colônia colônias autônomo gastronômico platô metrô robô tricô bistrô água águas óleos ícone fubá sofás chá
chás cajá maracujá guaraná pá pás picolé picolés acarajé jacaré rapé abará vatapá açaís tatuí sagú urucú úmido úmidos úmida
úmidas sanduíche sanduíches egoísta saúde baú saúva paraíba juízo ruído raízes série séries espécie espécies matéria matérias
família famílias fécula ração rações à às é só já tú até pós nós vós há lá cá fé pé pés dó nó crê dê vê häagen müller löwenbräu
nestlé oréal lancôme kärcher gruyère brûlée crème crêpe crêpes moët rhône citroën nescafé estée chloé hermès kölln schär möller
bündner käse château rosée pâté fraîche bûche entrecôte maître tête pêche purée sauté décor père mère gâteau gâteaux écran
éclair éclairs soufflés très première premières bière bières comté avène für über süß weiß größe grün röstkaffee bäckerei
jägermeister pokémon beyoncé jalapeño jalapeños piñata doña doñas señorita ñuñoa íntimo íntima íntimos íntimas íntegro íntegra
jalapeñas mañana mañanas ñato soñar
`

// usualEnds are ends of words that are as good as a known word.
var usualEnds = []string{"ción", "sión", "ções", "ção", "nsões", "ssões", "nsão", "rsão", "ssão", "ería", "ñía", "ência", "ância"}

// knownSet is knownWords by word.
var knownSet = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(knownWords) {
		set[word] = true
	}
	return set
})

// isKnown reports whether word, in small letters, is one that exports are full of.
func isKnown(word []rune) bool {
	w := string(word)
	if set := knownSet(); set[w] || set[strings.TrimSuffix(w, "s")] {
		return true
	}
	return slices.ContainsFunc(usualEnds, func(end string) bool {
		return len(w) > len(end)+2 && (strings.HasSuffix(w, end) || strings.HasSuffix(w, end+"s"))
	})
}
