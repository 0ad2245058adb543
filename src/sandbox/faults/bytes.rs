//! Bodies that are not what their headers say: compressed, compressed twice, or in another encoding.

/// The polynomial of the checksum of gzip, its bits in reverse.
const POLYNOMIAL: u32 = 0xEDB8_8320;

fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

/// The product of two polynomials over two elements, modulo that of the checksum.
fn multiply(left: u32, mut right: u32) -> u32 {
    let mut product = 0;
    for place in (0..32).rev() {
        if left >> place & 1 == 1 {
            product ^= right;
        }
        right = if right & 1 == 1 { right >> 1 ^ POLYNOMIAL } else { right >> 1 };
    }
    product
}

/// The checksum of so many zeros, without looking at each: every zero byte multiplies by x^8.
fn checksum_of_zeros(count: u64) -> u32 {
    let (mut power, mut shift, mut left) = (1_u32 << 31, 1_u32 << 23, count);
    while left > 0 {
        if left & 1 == 1 {
            power = multiply(power, shift);
        }
        shift = multiply(shift, shift);
        left >>= 1;
    }
    !multiply(power, u32::MAX)
}

const HEAD: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

fn with_trailer(mut stream: Vec<u8>, checksum: u32, length: u64) -> Vec<u8> {
    stream.extend_from_slice(&checksum.to_le_bytes());
    // The length is kept modulo 2^32, as the format has it.
    let [a, b, c, d, ..] = length.to_le_bytes();
    stream.extend_from_slice(&[a, b, c, d]);
    stream
}

/// The bytes as a gzip stream that does not save anything.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut stream = HEAD.to_vec();
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        stream.extend_from_slice(&[1, 0, 0, 0xFF, 0xFF]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    with_trailer(stream, checksum(bytes), length)
}

/// Bits of a deflate stream, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u8,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, width: u32) {
        for place in 0..width {
            self.held |= u8::from(value >> place & 1 == 1) << self.count;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held);
                (self.held, self.count) = (0, 0);
            }
        }
    }

    /// Codes begin with their highest bit, unlike numbers.
    fn push_code(&mut self, code: &str) {
        for bit in code.bytes() {
            self.push(u32::from(bit == b'1'), 1);
        }
    }
}

/// A gzip stream of at least so many zeros that is about a thousandth as long: one block whose code spends two bits
/// on 258 bytes.
pub(crate) fn bomb(inflated: u64) -> Vec<u8> {
    let repeats = inflated.div_ceil(258);
    let mut bits = Bits::default();
    // The last block, with a code of its own: 286 literals and lengths, 1 distance, 18 lengths of code lengths.
    for (value, width) in [(1, 1), (2, 2), (29, 5), (0, 5), (14, 4)] {
        bits.push(value, width);
    }
    // In the order of the format: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1.
    for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
        bits.push(length, 3);
    }
    let (zeros, one, two) = ("0", "10", "11");
    let run = |bits: &mut Bits, count: u32| {
        bits.push_code(zeros);
        bits.push(count - 11, 7);
    };
    // Literal 0 has two bits, the end has two, the length 258 has one, and so has the distance 1.
    bits.push_code(two);
    run(&mut bits, 138);
    run(&mut bits, 117);
    bits.push_code(two);
    run(&mut bits, 28);
    bits.push_code(one);
    bits.push_code(one);
    bits.push_code("10");
    for _ in 0..repeats {
        bits.push(0, 2);
    }
    bits.push_code("11");
    bits.push(0, 7);
    let length = 1 + 258 * repeats;
    let mut stream = HEAD.to_vec();
    stream.extend_from_slice(&bits.bytes);
    with_trailer(stream, checksum_of_zeros(length), length)
}

/// A text in UTF-16 with its mark, lower byte first. Bytes that are no UTF-8 become replacement characters.
pub(crate) fn utf16(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_format() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        for count in [0, 1, 2, 7, 1000, 4097] {
            let zeros = vec![0; usize::try_from(count).expect("small")];
            assert_eq!(checksum_of_zeros(count), checksum(&zeros), "{count}");
        }
    }

    #[test]
    fn a_bomb_is_a_thousandth_of_what_it_becomes() {
        let inflated = 64 * 1024 * 1024;
        let length = u64::try_from(bomb(inflated).len()).expect("small");
        assert!(inflated / length >= 1000, "{length}");
    }

    #[test]
    fn blocks_hold_what_they_are_given() {
        let stream = gzip(b"abc");
        assert_eq!(stream[10..18], [1, 3, 0, 0xFC, 0xFF, b'a', b'b', b'c']);
        let long = gzip(&vec![7; 70_000]);
        assert_eq!(long.len(), 10 + 5 + 65_535 + 5 + 4_465 + 8);
        assert_eq!(utf16(b"{}"), [0xFF, 0xFE, b'{', 0, b'}', 0]);
    }
}
