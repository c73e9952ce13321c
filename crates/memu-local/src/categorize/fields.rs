//! Fields of life that custom categories are often about: the words that name
//! them, and the words that belong to them.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::cues::Tokens;

/// A field of life, by stems.
#[derive(Debug)]
pub(super) struct Field {
    names: FxHashSet<String>,
    words: FxHashSet<String>,
}

impl Field {
    fn new((names, words): &(&str, &str)) -> Self {
        let stems = |text| {
            Tokens::of(text)
                .terms()
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        Self {
            names: stems(names),
            words: stems(words),
        }
    }

    /// Whether a stem belongs to the field or names it.
    pub(super) fn knows(&self, term: &str) -> bool {
        self.words.contains(term) || self.names.contains(term)
    }
}

/// The fields that a stem names.
pub(super) fn named(term: &str) -> impl Iterator<Item = &'static Field> {
    FIELDS
        .iter()
        .filter(move |field| field.names.contains(term))
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| WORDS.iter().map(Field::new).collect());

/// The names and the words of each field.
const WORDS: &[(&str, &str)] = &[
    (
        "food foods drink drinks eating diet nutrition meal cuisine cooking recipe dining restaurant \
         culinary",
        "eat ate cook bake recipe breakfast lunch dinner supper brunch snack dessert restaurant cafe \
         bakery kitchen chef vegetarian vegan coffee tea wine beer juice cocktail pizza pasta sushi \
         curry soup salad bread cheese chocolate cake cookie pie rice noodle ramen steak chicken fish \
         beef pork egg fruit apple banana berry vegetable tomato potato pepper spice spicy sweet salty \
         sour delicious tasty flavor flavour dish taco burger sandwich pancake honey butter milk cream \
         yogurt oat grill roast barbecue ingredient appetite hungry thirsty gluten lactose",
    ),
    (
        "travel trip vacation holiday journey tourism destination transport",
        "travel trip flight fly flew airport airline plane train hotel hostel airbnb luggage suitcase \
         passport visa itinerary abroad backpack tour tourist sightseeing cruise road beach island \
         country border map guidebook layover ticket visit camping overseas ferry resort booking \
         vacation honeymoon journey drive souvenir",
    ),
    (
        "health wellness medical fitness wellbeing medicine illness healthcare body",
        "doctor hospital clinic nurse dentist surgery illness sick disease fever flu cold cough pain \
         ache headache migraine allergy allergic asthma diabetes medication medicine pill prescription \
         vaccine therapy therapist physiotherapy symptom diagnose injury injure broken sprain sleep insomnia \
         anxiety depression stress weight diet exercise gym workout blood pressure cholesterol heart knee \
         shoulder recovery appointment checkup vitamin pregnant penicillin mental fitness jog yoga",
    ),
    (
        "sport sports athletics exercise fitness training",
        "football soccer basketball baseball tennis badminton volleyball golf hockey rugby cricket box \
         karate judo swim run ran jog marathon triathlon cycle bike ski snowboard skate surf climb boulder \
         row sail kayak gym workout coach team match tournament league championship race medal goal score \
         stadium athlete referee yoga pilates lift stretch sprint goalkeeper regatta",
    ),
    (
        "music song instrument concert band",
        "song album band concert guitar piano violin cello drum bass flute trumpet saxophone ukulele sing \
         sang singer choir orchestra melody lyric playlist jazz rock pop classical opera festival vinyl gig \
         composer rehearsal karaoke chord musician",
    ),
    (
        "pet animal",
        "dog puppy cat kitten hamster rabbit bunny parrot bird budgie goldfish fish aquarium turtle tortoise \
         snake lizard gecko horse pony ferret guinea vet veterinarian leash litter paw fur breed terrier \
         retriever labrador poodle beagle tabby adopt shelter groom bark meow tail",
    ),
    (
        "money finance financial budget saving investment spending bank expense",
        "money bank loan mortgage debt credit card budget save saving invest investment stock bond fund share \
         tax salary income rent bill pay paid expense cost price pension retirement insurance dollar euro pound \
         account crypto bitcoin interest cheap expensive afford allowance dividend",
    ),
    (
        "family relative parent kid child children household parenting",
        "mother father mom dad mum parent daughter son sister brother sibling cousin aunt uncle niece nephew \
         grandmother grandfather grandma grandpa grandparent wife husband spouse kid child children baby toddler \
         twin family wedding marriage reunion adopt stepfather stepmother",
    ),
    (
        "friend friendship social people relationship",
        "friend buddy pal roommate neighbor neighbour classmate colleague partner girlfriend boyfriend date party \
         hang gathering reunion invite",
    ),
    (
        "work job career business office professional employment workplace",
        "job boss manager colleague coworker office company salary promotion interview resume client customer \
         meeting deadline project shift internship employer employee career startup business conference contract \
         freelance hire fire layoff report presentation engineer nurse teacher accountant lawyer developer",
    ),
    (
        "study education school learning academic university course student college",
        "school university college class course exam test homework assignment essay thesis degree diploma teacher \
         professor lecture student grade semester scholarship tutor textbook campus major graduate study learn \
         research math physics chemistry biology history literature",
    ),
    (
        "garden gardening plant yard",
        "garden plant flower vegetable tomato herb seed soil compost bed lawn hedge tree rose prune weed water \
         harvest greenhouse shed sprout bloom",
    ),
    (
        "home house household housing apartment living",
        "house apartment flat room kitchen bathroom bedroom garden lawn furniture sofa couch table roof landlord \
         tenant rent mortgage move renovate renovation repair clean laundry dishwasher paint plant flower \
         decorate decoration neighbor neighbourhood heating plumbing garage",
    ),
    (
        "tech technology computer software programming coding code development gadget it",
        "computer laptop phone smartphone tablet software app program code coding python javascript typescript \
         rust java database server api website browser internet network bug deploy git github linux windows \
         android keyboard monitor algorithm cloud docker machine model data script framework debug compile \
         function robot",
    ),
    (
        "book reading literature",
        "book novel read author writer chapter library poem poetry fiction story biography series bookstore \
         bookshop fantasy thriller paperback",
    ),
    (
        "movie film television tv show entertainment cinema series game gaming",
        "movie film cinema watch series episode season show actor actress director netflix documentary comedy \
         drama anime cartoon television tv game console playstation xbox nintendo play chess puzzle theater theatre",
    ),
    (
        "art craft creative creativity design",
        "paint painting draw drawing sketch sculpture pottery ceramics watercolor canvas gallery museum exhibition \
         photography photo knit crochet sew quilt embroidery woodwork origami calligraphy artist design",
    ),
    (
        "nature outdoor environment weather",
        "hike trail mountain forest river lake ocean sea beach camp tent park tree flower bird wildlife sunset \
         rain snow storm sunny climate waterfall canyon",
    ),
    (
        "car vehicle driving transport transportation",
        "car truck motorcycle bike bicycle scooter van drive drove engine tire tyre brake garage mechanic licence \
         license parking fuel petrol electric commute bus train subway",
    ),
    (
        "emotion feeling mood mental",
        "happy sad angry anxious afraid proud excited lonely stress nervous grateful jealous depressed worried \
         upset joy fear cry calm overwhelmed frustrated",
    ),
    (
        "clothes clothing fashion style shopping",
        "dress shirt shoe sneaker jacket coat jeans skirt hat scarf sweater suit wear wore outfit shop buy bought \
         store mall brand sale",
    ),
];
