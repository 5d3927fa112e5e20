//! The composition of the certificate: its words, their order and their looks.

mod looks;
mod words;

use qrcode::{EcLevel, QrCode};

use crate::{
    CertificateFacts, DocumentError, Fonts,
    flow::{Back, Block, Flow, Frame, Mark, Shape, Strip},
    pdf::{self, PAGE_HEIGHT, PAGE_WIDTH, Properties},
    text::{Style, Typesetter},
    time::BeijingTime,
};
use looks::{GOLD, GREY, HAIRLINE, INK, Looks, NAVY, SEAL, VALUE, WARM};
use words::{Row, Words, missing_characters};

const MARGIN: f32 = 56.0;
const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Width of the column that says what a fact is.
const LABEL_WIDTH: f32 = 124.0;
const BAND: f32 = 54.0;
const BAND_FOLLOWING: f32 = 26.0;
const FOOT: f32 = 44.0;
const CODE_SIDE: f32 = 92.0;

/// Tried in turn until the certificate fits one page; if none does, the first is used and it takes several.
const SCALES: [f32; 3] = [1.0, 0.95, 0.9];

/// Renders the certificate as PDF/A-2b, A4. Equal facts and equal fonts give equal bytes.
pub fn render(facts: &CertificateFacts, fonts: &Fonts) -> Result<Vec<u8>, DocumentError> {
    facts.check()?;
    let time = BeijingTime::from_ms(facts.deposited_at_ms)?;
    let status_time = BeijingTime::from_ms(facts.status_at_ms)?;
    // A quarter of the code may be dirty or torn.
    let code = QrCode::with_error_correction_level(&facts.verify_url, EcLevel::Q).map_err(|_| DocumentError::VerifyUrl)?;
    let mut chosen = None;
    for scale in SCALES {
        let looks = Looks { scale };
        let composer = Composer { facts, words: Words { facts, time, status_time }, looks, setter: Typesetter::new(fonts)? };
        let pages = composer.compose(&code);
        if pages.len() == 1 {
            chosen = Some(pages);
            break;
        }
        chosen = chosen.or(Some(pages));
    }
    let properties = Properties {
        title: "电子证据存证证书 Certificate of Evidence Deposit".into(),
        subject: facts.number.clone(),
        date: time,
    };
    pdf::write(chosen.unwrap_or_default(), properties, fonts)
}

struct Composer<'a> {
    facts: &'a CertificateFacts,
    words: Words<'a>,
    looks: Looks,
    setter: Typesetter<'a>,
}

impl Composer<'_> {
    fn compose(mut self, code: &QrCode) -> Vec<Vec<Mark>> {
        let gap = 13.0 * self.looks.scale;
        let bottom = PAGE_HEIGHT - FOOT;
        let first = Frame { top: BAND + 24.0 * self.looks.scale, bottom };
        let mut flow = Flow::new(first, Frame { top: BAND_FOLLOWING + 22.0, bottom });

        flow.place(self.title());
        flow.space(gap);
        flow.place(self.statement());
        flow.space(gap * 0.8);
        for row in self.facts_table() {
            flow.place(row);
        }
        for note in self.words.notes() {
            flow.space(gap * 0.6);
            flow.place(self.note(&note.zh, &note.en));
        }
        flow.space(gap);
        for block in self.vouchers() {
            flow.place(block);
        }
        flow.space(gap);
        flow.place(self.how_to_verify(code));
        flow.space(gap);
        for block in self.technical() {
            flow.place(block);
        }
        if let Some(text) = missing_characters(self.setter.missing()) {
            flow.space(gap * 0.6);
            let block = self.paragraph(&text, self.looks.fine(GREY), MARGIN, WIDTH);
            flow.place(block);
        }

        let mut pages = flow.finish();
        let count = pages.len();
        for (index, page) in pages.iter_mut().enumerate() {
            self.furniture(page, index + 1, count);
        }
        pages
    }

    fn paragraph(&mut self, text: &str, style: Style, x: f32, width: f32) -> Block {
        Block::text(self.setter.lines(text, &style, width), style, x)
    }

    fn title(&mut self) -> Block {
        let (zh, en) = (self.looks.title(), self.looks.subtitle());
        let chinese = self.setter.lines("电子证据存证证书", &zh, WIDTH);
        let english = self.setter.lines("CERTIFICATE OF EVIDENCE DEPOSIT", &en, WIDTH);
        Block::centred(chinese, zh, MARGIN, WIDTH)
            .then(Block::space(2.0))
            .then(Block::centred(english, en, MARGIN, WIDTH))
            .then(Block::space(8.0 * self.looks.scale))
            .then(Block::bar(MARGIN + WIDTH / 2.0 - 22.0, 44.0, 1.4, GOLD))
    }

    /// The fact in plain words, before any table.
    fn statement(&mut self) -> Block {
        let (zh, en) = self.words.statement();
        self.paragraph(&zh, self.looks.statement(INK), MARGIN, WIDTH)
            .then(Block::space(4.0 * self.looks.scale))
            .then(self.paragraph(&en, self.looks.statement_en(GREY), MARGIN, WIDTH))
    }

    fn facts_table(&mut self) -> Vec<Block> {
        let (x, width) = (MARGIN + LABEL_WIDTH, WIDTH - LABEL_WIDTH);
        let pad = 4.2 * self.looks.scale;
        let mut rows = vec![Block::bar(MARGIN, WIDTH, 0.9, NAVY)];
        for Row { zh, en, value, kind, aside } in self.words.rows() {
            let label = self.pair((zh, self.looks.label()), (en, self.looks.label_en()), MARGIN, LABEL_WIDTH - 8.0);
            let value = self.pair((&value, self.looks.value(kind)), (&aside, self.looks.aside()), x, width);
            rows.push(
                Block::space(pad)
                    .then(label.beside(value))
                    .then(Block::space(pad))
                    .then(Block::bar(MARGIN, WIDTH, 0.5, HAIRLINE)),
            );
        }
        rows
    }

    /// A text and a lesser one: on one line if they fit, else one under the other.
    fn pair(&mut self, first: (&str, Style), second: (&str, Style), x: f32, width: f32) -> Block {
        let gap = 0.8 * second.1.size;
        let mut upper = self.paragraph(first.0, first.1, x, width);
        let lower = self.setter.lines(second.0, &second.1, width);
        if let ([strip], [line]) = (upper.strips.as_mut_slice(), lower.as_slice())
            && let Some(Mark { shape: Shape::Text(before, _), y, .. }) = strip.marks.first()
            && before.width + gap + line.width <= width
        {
            let shape = Shape::Text(line.clone(), second.1);
            let mark = Mark { x: x + before.width + gap, y: *y, shape };
            strip.marks.push(mark);
            return upper;
        }
        upper.then(Block::text(lower, second.1, x))
    }

    /// What a reader must not miss, on a warm ground with a red edge.
    fn note(&mut self, zh: &str, en: &str) -> Block {
        let (x, width) = (MARGIN + 14.0, WIDTH - 28.0);
        let pad = 5.0 * self.looks.scale;
        Block::space(pad)
            .then(self.paragraph(zh, self.looks.value(VALUE), x, width))
            .then(self.paragraph(en, self.looks.fine(GREY), x, width))
            .then(Block::space(pad))
            .on(Back { x: MARGIN, width: WIDTH, colour: WARM })
            .on(Back { x: MARGIN, width: 3.0, colour: SEAL })
    }

    /// A section's title with a gold mark before it, and something said at its right end.
    fn heading(&mut self, zh: &str, en: &str, right: &str) -> Block {
        let (style, small) = (self.looks.heading(), self.looks.heading_en());
        let x = MARGIN + 10.0;
        let (chinese, style) = self.setter.fitted(zh, &style, WIDTH / 2.0);
        let (english, small) = self.setter.fitted(en, &small, WIDTH / 2.0);
        let (right, note) = self.setter.fitted(right, &small, WIDTH / 2.0);
        let y = style.baseline();
        let bar = style.size * 0.95;
        let marks = vec![
            Mark { x: MARGIN, y: y - bar * 0.87, shape: Shape::Fill { width: 3.0, height: bar, colour: GOLD } },
            Mark { x: x + chinese.width + 7.0, y, shape: Shape::Text(english, small) },
            Mark { x: MARGIN + WIDTH - right.width, y, shape: Shape::Text(right, note) },
            Mark { x, y, shape: Shape::Text(chinese, style) },
        ];
        Block { strips: vec![Strip { height: style.line_height() + 3.0 * self.looks.scale, marks }], back: Vec::new() }
    }

    /// Who signed, in two columns, where a paper certificate has its seals.
    fn vouchers(&mut self) -> Vec<Block> {
        let facts = self.facts;
        let signed = format!("{} / {} 已签名 signed", facts.signers.len(), facts.validators);
        let mut blocks = vec![self.heading("联署作证的验证节点", "Validators that signed", &signed)];
        let column = WIDTH / 2.0;
        for (first, pair) in facts.signers.chunks(2).enumerate() {
            let mut row = Block::default();
            for (index, party) in pair.iter().enumerate() {
                let x = MARGIN + 10.0 + index as f32 * column;
                let side = 11.0 * self.looks.scale;
                let text = x + side + 6.0;
                let width = column - side - 22.0;
                let style = self.looks.value(VALUE);
                let name = self.paragraph(&party.name, style, text, width);
                let mut code = party.uscc.clone();
                if facts.proposer_signed == Some(2 * first + index) {
                    code = if code.is_empty() { code } else { code + "  " } + "本块提议者 proposer";
                }
                let mut cell = name.then(self.paragraph(&code, self.looks.fine(GREY), text, width));
                if let Some(strip) = cell.strips.first_mut() {
                    let y = (style.line_height() - side) / 2.0;
                    strip.marks.push(Mark { x, y, shape: Shape::Tick { side, colour: SEAL } });
                }
                row = row.beside(cell);
            }
            blocks.push(row.then(Block::space(4.0 * self.looks.scale)));
        }
        // The heading never stays behind alone at the foot of a page.
        let first = blocks.remove(0).then(blocks.remove(0));
        blocks.insert(0, first);
        blocks
    }

    fn how_to_verify(&mut self, code: &QrCode) -> Block {
        let quiet = CODE_SIDE / code.width() as f32 * 4.0;
        let code_x = MARGIN + WIDTH - CODE_SIDE - quiet;
        let (x, indent) = (MARGIN + 10.0, 14.0);
        let width = code_x - quiet - x - 10.0;
        let mut steps = Block::default();
        for (number, step) in self.words.steps().into_iter().enumerate() {
            let style = self.looks.step(INK);
            let figure = self.paragraph(&format!("{}.", number + 1), self.looks.step(NAVY), x, indent);
            let text = self.paragraph(&step.zh, style, x + indent, width - indent);
            let mut block = figure.beside(text);
            if let Some(literal) = step.literal {
                block = block.then(self.paragraph(&literal, self.looks.literal(), x + indent, width - indent));
            }
            let english = self.paragraph(&step.en, self.looks.fine(GREY), x + indent, width - indent);
            steps = steps.then(block).then(english).then(Block::space(3.5 * self.looks.scale));
        }
        let caption = self.looks.caption();
        let lines = self.setter.lines("扫码核验 Scan to verify", &caption, CODE_SIDE);
        let shape = Shape::Code { side: CODE_SIDE, code: code.clone() };
        let link = Shape::Link { width: CODE_SIDE, height: CODE_SIDE, url: self.facts.verify_url.clone() };
        let square = Strip {
            height: CODE_SIDE + quiet + 1.0,
            marks: vec![Mark { x: code_x, y: 2.0, shape }, Mark { x: code_x, y: 2.0, shape: link }],
        };
        let right = Block { strips: vec![square], back: Vec::new() };
        let right = right.then(Block::centred(lines, caption, code_x, CODE_SIDE));
        let heading = self.heading("如何独立验证", "How to verify independently", "");
        heading.then(steps.solid().beside(right.solid())).solid()
    }

    /// What a technician needs, small.
    fn technical(&mut self) -> Vec<Block> {
        let mut blocks = vec![self.heading("技术细节", "Technical details", "")];
        let (x, label) = (MARGIN + 10.0, 116.0);
        for (name, text, hex) in self.words.technical() {
            let style = if hex { self.looks.fine_mono() } else { self.looks.fine(INK) };
            let left = self.paragraph(name, self.looks.fine(GREY), x, label - 6.0);
            let right = self.paragraph(&text, style, x + label, WIDTH - 10.0 - label);
            blocks.push(left.beside(right));
        }
        let first = blocks.remove(0).then(blocks.remove(0));
        blocks.insert(0, first);
        blocks
    }

    /// Header band and page foot, which know the count of pages.
    fn furniture(&mut self, page: &mut Vec<Mark>, number: usize, count: usize) {
        let first = number == 1;
        let band = if first { BAND } else { BAND_FOLLOWING };
        let mut marks = vec![
            Mark { x: 0.0, y: 0.0, shape: Shape::Fill { width: PAGE_WIDTH, height: band, colour: NAVY } },
            Mark { x: 0.0, y: band, shape: Shape::Fill { width: PAGE_WIDTH, height: 2.2, colour: GOLD } },
        ];
        let style = if first { looks::band() } else { looks::band_following() };
        let (network, style) = self.setter.fitted(&self.facts.network, &style, WIDTH * 0.6);
        let middle = |style: &Style| band / 2.0 + style.size * 0.38;
        marks.push(Mark { x: MARGIN, y: middle(&style), shape: Shape::Text(network, style) });
        let style = looks::band_number();
        let number_text = format!("存证编号 No. {}", self.facts.number);
        let (text, style) = self.setter.fitted(&number_text, &style, WIDTH * 0.37);
        marks.push(Mark { x: MARGIN + WIDTH - text.width, y: middle(&style), shape: Shape::Text(text, style) });

        let y = PAGE_HEIGHT - FOOT + 10.0;
        marks.push(Mark { x: MARGIN, y, shape: Shape::Fill { width: WIDTH, height: 0.5, colour: HAIRLINE } });
        let style = looks::foot();
        let (text, left) = self.setter.fitted(words::FOOT, &style, WIDTH * 0.8);
        marks.push(Mark { x: MARGIN, y: y + 14.0, shape: Shape::Text(text, left) });
        let (text, right) =
            self.setter.fitted(&format!("第 {number}/{count} 页 Page {number} of {count}"), &style, WIDTH * 0.2);
        marks.push(Mark { x: MARGIN + WIDTH - text.width, y: y + 14.0, shape: Shape::Text(text, right) });
        marks.append(page);
        *page = marks;
    }
}
