use crate::temporal::words::{Words, words};

/// Words that open a sentence without adding to it, whatever follows.
pub(in crate::extract) static INTERJECTIONS: Words = words!(
    "
    ah aha aw aww awww dang eh gosh haha hahaha hehe hello hey hi hiya hm hmm hmmm huh lol lmao
    man mmm nah nope oh ok okay omg oof ooh oops ouch phew sheesh ugh uh um uhh umm whew
    whoa woah woohoo wow wowza yay yea yeah yep yeh yes yup yikes
    "
);

/// Words that open a sentence without adding to it when a mark follows.
pub(in crate::extract) static FILLERS: Words = words!(
    "
    absolutely actually agreed alright also amazing anyway anyways appreciate appreciated awesome
    awesomeness basically besides brilliant btw bye certainly cheers congrats congratulations
    cool correct dear definitely exactly excellent fair fantastic fine first firstly frankly
    girl good great honestly however incredible indeed interesting kudos likewise look love
    lovely maybe mhm morning nice no obviously of perfect please plus pretty probably really
    right sad same say see seriously so sorry still sure surely sweet thanks then though thx too
    totally true truly ty well welcome wonderful
    "
);

/// Words that say how somebody feels about a thing, not what it is.
pub(in crate::extract) static BLAND: Words = words!(
    "
    absolutely actually adorable agree amazing anyway anything awesome awful bad beautiful best
    better big bit bunch can't cool crazy cute day definitely entirely even ever every
    everything exciting fab fantastic feel feels felt fun funny gave get gets getting give gives
    go goes going gonna good got gotta gorgeous great guess happen happened hard hear heard hey
    hope huge incredible inspiring interesting it's just keep keeps kind kinda know lately let
    let's lets life like literally little look looked looking looks lot lots lovely made make
    makes making matter maybe mean means memories moment moments much must need never new nice
    nothing oh okay one people perfect pretty probably proud quite rather ready real really
    right say says see seem seems seen sense should simply somehow someone something sometimes
    soon special still stuff stunning such super sure take takes taking thank thankful thanks
    that's there's thing things think thought time times today together too totally tough truly
    try trying us use valuable want way wish wonderful word words work works world worth would
    wow yeah yes yet "
);

/// Adverbs that may stand between a subject and its verb and do not end in -ly.
pub(in crate::extract) static ADVERBS: Words = words!(
    "
    all almost already also always both either even ever first forever hardly just kind kinda
    later long maybe more much neither never next not now often once one only otherwise perhaps
    pretty quite rather seldom so sometimes somewhat soon sort sorta still then therefore though
    thus too twice usually very well
    "
);

/// Adjectives with which people begin a sentence about themselves.
pub(in crate::extract) static ADJECTIVES: Words = words!(
    "
    allergic anxious ashamed blessed bored broke bummed busy confused curious determined devastated
    disappointed eager excited exhausted frustrated glad grateful happy heartbroken homesick
    honored hooked hungry inspired interested jealous keen lonely lucky mad nervous obsessed
    optimistic overwhelmed pleased proud psyched pumped ready relieved sad scared shocked sick
    sore stoked stressed stuck surprised swamped thankful thrilled tired touched upset worried
    "
);

/// Plural nouns for those whom "they" may mean.
pub(in crate::extract) static LIVING: Words = words!(
    "
    animals audience aunts babies birds boys brothers buddies cats children classmates clients
    colleagues community cousins customers dancers daughters dogs everyone everybody family fans
    fish folks friends girls grandchildren grandkids grandparents group guests guys kids kittens
    ladies members men mentors neighbors neighbours others owners parents people pets players
    puppies pups siblings sisters someone sons staff students team teammates them themselves
    their they they'd they'll they're they've those turtles uncles volunteers who women workers
    "
);

/// Numbers in words.
pub(in crate::extract) static NUMBERS: Words = words!(
    "
    two three four five six seven eight nine ten eleven twelve dozen fifteen twenty thirty forty
    fifty hundred thousand million billion half twice
    "
);

/// Words that put an event at a time that nobody names.
pub(in crate::extract) static VAGUE_TIMES: Words = words!(
    "
    ago before childhood decades earlier ever formerly growing kid never once originally past
    previously recently since teenager used while years young younger lately back college
    "
);
