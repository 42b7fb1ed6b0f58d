"""English words, two of about the same meaning at a time: the vocabulary of the texts and the paraphraser's table of synonyms."""

from __future__ import annotations


def _pairs(words: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for pair in words.split():
        left, _, right = pair.partition("/")
        found.append((left, right))
    return tuple(found)


NOUNS = _pairs("""
report/account meeting/session customer/client price/cost ship/vessel road/route city/town house/building engine/motor picture/image
mistake/error answer/reply question/query plan/scheme rule/regulation worker/employee teacher/instructor student/pupil doctor/physician
river/stream forest/wood mountain/peak storm/tempest field/meadow journey/trip letter/message book/volume song/tune story/tale
factory/plant machine/device tool/instrument vehicle/car aircraft/plane bridge/crossing harbour/port island/isle village/hamlet
budget/allowance loan/credit profit/gain loss/deficit market/bazaar shop/store product/article order/request contract/agreement
law/statute court/tribunal judge/magistrate crime/offence witness/observer police/constabulary government/administration election/vote
minister/secretary soldier/trooper army/force war/conflict peace/truce border/frontier nation/country citizen/resident
disease/illness treatment/therapy medicine/drug patient/invalid hospital/clinic study/investigation experiment/trial result/outcome
sample/specimen measure/metric sensor/detector signal/pulse noise/disturbance filter/sieve battery/cell cable/wire switch/toggle
server/host database/archive table/grid column/pillar record/entry file/document folder/directory password/passphrase account/profile
update/revision release/edition feature/capability defect/fault test/check queue/line cache/buffer thread/strand process/procedure
timeout/expiry budgeting/forecasting deadline/limit schedule/timetable calendar/agenda manager/supervisor director/chief
partner/associate supplier/vendor warehouse/depot shipment/consignment package/parcel invoice/bill payment/remittance refund/repayment
discount/rebate tax/levy salary/wage bonus/premium holiday/vacation ticket/voucher passenger/traveller luggage/baggage
kitchen/galley meal/dish bread/loaf vegetable/plantlet fruit/berry garden/orchard flower/blossom tree/sapling animal/creature
horse/pony bird/fowl insect/bug fish/trout stone/rock sand/gravel metal/alloy glass/crystal wood/timber cloth/fabric leather/hide
colour/hue shape/form size/extent weight/mass speed/velocity distance/range height/altitude depth/profundity angle/slope
beginning/start end/finish middle/centre edge/rim corner/nook surface/face part/portion piece/fragment group/cluster list/catalogue
idea/notion thought/reflection belief/conviction doubt/suspicion hope/wish fear/dread anger/rage joy/delight grief/sorrow
friend/companion enemy/opponent neighbour/local child/kid parent/guardian family/household crowd/throng stranger/outsider
""")

# All regular, and none that doubles its last letter.
VERBS = _pairs("""
check/verify start/launch finish/complete repair/fix change/alter move/shift close/shut open/unlock collect/gather deliver/supply
explain/clarify describe/depict notice/observe ignore/neglect accept/approve reject/refuse join/attach separate/detach increase/raise
reduce/lower measure/gauge compare/contrast record/document remove/delete replace/exchange protect/guard attack/assault rescue/recover
help/assist hinder/obstruct ask/request answer/address promise/pledge threaten/menace praise/commend blame/fault reward/compensate
punish/penalise invite/summon visit/inspect follow/trail approach/near avoid/evade cross/traverse enter/access reach/attain
carry/transport load/fill empty/drain clean/wash paint/colour polish/burnish cook/prepare taste/sample plant/sow harvest/reap
discover/detect invent/devise develop/evolve test/examine review/assess publish/issue translate/render copy/duplicate store/archive
load/import export/transfer connect/link isolate/insulate restart/reboot configure/arrange monitor/watch schedule/time cancel/annul
delay/postpone confirm/affirm deny/contest estimate/approximate predict/anticipate suggest/propose demand/require allow/enable
prevent/block limit/restrict extend/lengthen shorten/abridge divide/partition merge/combine order/arrange count/number
""")

ADJECTIVES = _pairs("""
big/large small/little quick/rapid slow/sluggish old/ancient new/recent good/fine bad/poor strong/sturdy weak/feeble bright/brilliant
dark/gloomy warm/mild cold/chilly dry/arid wet/damp clean/tidy dirty/grimy rich/wealthy cheap/inexpensive expensive/costly
happy/cheerful sad/unhappy angry/furious calm/quiet loud/noisy silent/mute clever/smart foolish/silly honest/sincere false/untrue
careful/cautious careless/reckless brave/courageous timid/shy famous/renowned unknown/obscure important/vital minor/trivial
difficult/hard easy/simple dangerous/risky safe/secure useful/handy useless/pointless correct/accurate wrong/incorrect
complete/entire partial/incomplete regular/steady irregular/uneven early/premature late/overdue public/open private/personal
local/regional foreign/alien modern/contemporary narrow/slim wide/broad deep/profound shallow/superficial heavy/weighty
light/slight sharp/keen blunt/dull smooth/even rough/coarse empty/vacant full/packed visible/apparent hidden/concealed
common/ordinary rare/scarce strange/odd familiar/known final/last initial/first annual/yearly daily/everyday
external/outer internal/inner temporary/provisional permanent/lasting official/formal legal/lawful illegal/unlawful
""")

ADVERBS = _pairs("""
quickly/rapidly slowly/gradually carefully/cautiously suddenly/abruptly quietly/silently often/frequently rarely/seldom
always/invariably usually/normally nearly/almost completely/entirely partly/partially clearly/plainly secretly/covertly
openly/publicly finally/eventually recently/lately soon/shortly early/prematurely twice/repeatedly easily/effortlessly
badly/poorly eagerly/keenly gladly/willingly deliberately/intentionally accidentally/mistakenly directly/straightaway
roughly/approximately exactly/precisely hardly/scarcely together/jointly separately/individually
""")

# Longer ones first: the paraphraser takes the first that fits.
CONNECTIVES = {
    "had expected": "thought there would be",
    "more than": "above what",
    "argued that": "was of the view that",
    "insisted that": "would not give up saying that",
    "explained that": "made it clear that",
    "replied that": "gave back that",
    "admitted that": "had to own that",
    "warned that": "raised the alarm that",
    "remembered that": "had not forgotten that",
    "told us that": "let it be known that",
    "wrote that": "put on paper that",
    "according to": "in the words of",
    "said that": "told everybody how",
    "there were": "one could count",
    "it was": "people found it",
    "as soon as": "right after",
    "in spite of": "notwithstanding",
    "because": "given that",
    "although": "even though",
    "before": "ahead of the moment when",
    "after": "once",
    "while": "at the time when",
    "until": "up to the point where",
    "however": "yet",
    "therefore": "which is why",
    "which": "and that one",
    "neither": "not even",
    "nor": "and not",
    "but": "only",
    "so": "hence",
    "if": "supposing",
    "would": "might",
    "could": "was able to",
    "the": "this",
    "a": "one",
    "near": "close to",
    "inside": "in the middle of",
    "within": "in",
    "beyond": "past",
    "across": "over",
    "beside": "next to",
    "around": "all about",
    "outside": "off",
    "throughout": "all over",
    "above": "over",
    "from": "out of",
    "and": "as well as",
    "what": "the thing that",
    "was": "had been",
    "in": "at",
    "to": "so as to",
    "their": "those people's",
    "this": "the said",
    "her": "that woman's",
    "his": "that man's",
    "another": "one more",
    "any": "whatever",
    "no": "not one",
    "behind": "at the back of",
    "under": "below",
    "during": "in the course of",
    "without": "lacking",
    "between": "amid",
    "every": "each",
    "some": "certain",
    "many": "numerous",
    "most": "the bulk",
    "percent": "per cent",
}


def past(verb: str) -> str:
    """Return the past tense of a regular verb."""
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def plural(noun: str) -> str:
    """Return the plural of a regular noun."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def synonyms() -> dict[str, str]:
    """Every word of the vocabulary, in every form that the texts use, to the other one of its pair."""
    table: dict[str, str] = {}
    for pairs, forms in ((ADVERBS, ()), (ADJECTIVES, ()), (VERBS, (past,)), (NOUNS, (plural,))):
        for left, right in pairs:
            for form in (str, *forms):
                table[form(left)] = form(right)
                table[form(right)] = form(left)
    return table
