use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use krilla::Data;
use skrifa::{MetadataProvider, raw::FileRef, string::StringId};

use crate::DocumentError;

/// Environment variable that names the font file to use instead of searching.
pub const FONT_VARIABLE: &str = "ZHULIAN_FONT";

/// Where distributions put Noto Sans CJK: Debian and Ubuntu, Fedora and openEuler, Arch.
const PATHS: [&str; 4] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
];

/// Characters without which a font is of no use here.
const PROBE: &str = "存证证书 Aa0";

/// One face of a font file: its bytes, kept for measuring, and the writer's handle on them.
#[derive(Clone)]
pub(crate) struct Face {
    pub data: Arc<Vec<u8>>,
    pub index: u32,
    pub font: krilla::text::Font,
}

/// The faces a certificate is set in. Loading reads up to 40 MB, so load once and share.
#[derive(Clone)]
pub struct Fonts {
    pub(crate) regular: Face,
    pub(crate) bold: Face,
    /// For digests and commands; the regular face where the font has no monospaced one.
    pub(crate) mono: Face,
}

impl Fonts {
    /// Loads the font named in `ZHULIAN_FONT`, or else the first found at the usual places.
    pub fn find() -> Result<Self, DocumentError> {
        if let Some(path) = env::var_os(FONT_VARIABLE).filter(|path| !path.is_empty()) {
            return Self::open(Path::new(&path));
        }
        match PATHS.iter().map(Path::new).find(|path| path.is_file()) {
            Some(path) => Self::open(path),
            None => Err(DocumentError::FontMissing { searched: PATHS.join(", ") }),
        }
    }

    /// Loads a font file or collection, and its bold sibling (`…-Bold…` beside `…-Regular…`) if there is one.
    pub fn open(path: &Path) -> Result<Self, DocumentError> {
        let unsuitable = || DocumentError::FontUnsuitable { path: path.into() };
        let data = read(path)?;
        let regular = Face::pick(&data, |family| !family.contains("Mono")).ok_or_else(unsuitable)?;
        let mono = Face::pick(&data, |family| family.contains("Mono")).unwrap_or_else(|| regular.clone());
        let bold = match bold_sibling(path).filter(|path| path.is_file()) {
            Some(path) => Face::pick(&read(&path)?, |family| !family.contains("Mono")),
            None => None,
        };
        Ok(Self { bold: bold.unwrap_or_else(|| regular.clone()), regular, mono })
    }
}

impl Face {
    /// The face for simplified Chinese among those whose family name is `wanted`; else the first that has Chinese.
    fn pick(data: &Arc<Vec<u8>>, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut chosen: Option<(bool, u32)> = None;
        for (index, font) in FileRef::new(data).ok()?.fonts().enumerate() {
            let Ok(font) = font else { continue };
            let charmap = font.charmap();
            if !PROBE.chars().all(|c| charmap.map(c).is_some()) {
                continue;
            }
            let family = font.localized_strings(StringId::FAMILY_NAME).english_or_first();
            let family = family.map(|name| name.to_string()).unwrap_or_default();
            let simplified = family.split(' ').any(|word| word == "SC");
            if wanted(&family) && chosen.is_none_or(|(best, _)| simplified && !best) {
                chosen = Some((simplified, index as u32));
            }
        }
        let (_, index) = chosen?;
        let font = krilla::text::Font::new(Data::from(data.clone()), index)?;
        Some(Self { data: data.clone(), index, font })
    }
}

fn read(path: &Path) -> Result<Arc<Vec<u8>>, DocumentError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Arc::new(bytes)),
        Err(source) => Err(DocumentError::FontUnreadable { path: path.into(), source }),
    }
}

fn bold_sibling(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    name.contains("Regular").then(|| path.with_file_name(name.replace("Regular", "Bold")))
}
