//! How often a pair of bytes is seen in prose, code and JSON: to choose which part of a keyword to look for.

/// Bytes from the most to the least frequent in chat records, code and logs; the rest are rarer than all of these.
const ORDER: &[u8] = b" etaoinsrhldcumpfgyw.b,vk\n\"_-0:1/2=('){};3xT5A4IS[]>C6jq98ME7PRzDNLOBFW<H#*G\\U+`VYJK$?!&|@Q%X~Z^\r\t";

/// Letter pairs that are much more frequent than their letters alone suggest, most frequent first.
const COMMON: &[u8] = b"thheineranreonatenndtiesorteofedisitalarsttontngsehaasouiolevecomedehiriroicneearacelichllbemasiomurcaeltalans\
    difohopeecprnoctusacotiltrlyncetutsssorsunlowageiewheewiemadolrtpowenaulnitsmoowpaimmiaishirsuidosiviaamficivi\
    pligtuevldrympfeblabghtyopwosaayexkefrooavagifapgrodbosprddoucbueiovbyrmepttocfaefcurnscgidayocrcldugaquueffba\
    eylsvaumppuauplugohtruugdsltpircrregauckewmubrbiptakpuuirgibtlnykirkysobmmfuphogmsyeudmbipuboirlgudrhrcctwftwn\
    nuafhunneovorvnfxpgnsmflizoknlmyglawjuoaeqsyslpsjolfnvjenkkngsdyhyzeksxtbsikddrpskxioeoywslvdlrfeudgwrxayinmeb\
    rbtmxcehtcgyjahnypzaggymswbjlmcsiiixxeohlkdvlpaxoxufdmiusfbtkaytekpmyagtwlrhylhsahycybrwhwlclntn";

/// A relative frequency of four adjacent bytes of which case was folded: larger is more frequent.
pub(super) fn gram(gram: u32) -> u64 {
    let unfolded = gram.to_le_bytes().map(|b| if b == 0x7f { b'_' } else { b });
    let [a, b, c, d] = unfolded;
    [(a, b), (b, c), (c, d)].into_iter().map(|(a, b)| u64::from(pair(a, b))).product()
}

fn pair(a: u8, b: u8) -> u32 {
    let alone = single(a) * single(b);
    let (low_a, low_b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let common = COMMON.chunks_exact(2).position(|pair| pair == [low_a, low_b]);
    match common {
        Some(rank) if a == low_a && b == low_b => {
            alone * 4 + 4000_u32.saturating_sub(12 * u32::try_from(rank).unwrap_or(0))
        }
        Some(_) => alone * 2,
        None => alone,
    }
}

/// Zipf over the order: 1 to 100.
fn single(byte: u8) -> u32 {
    let rank = ORDER.iter().position(|b| *b == byte).unwrap_or(200);
    300 / (u32::try_from(rank).unwrap_or(200) + 3)
}
