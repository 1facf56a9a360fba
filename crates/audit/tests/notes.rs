//! Signed notes and checkpoints. The keys, the notes and the signatures are those published with the specification and
//! with Go's `sumdb/note`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use stagegate_audit::{Checkpoint, LogError, Note, SignerKey, VerifierKey};

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const BY_PETER: &str = "— PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH: &str = "— EnochRoot \
    rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

#[test]
fn the_published_note_is_signed_bit_for_bit() {
    let peter = SignerKey::parse(PETER_PRIVATE).unwrap();
    assert_eq!(peter.verifier().to_string(), PETER);
    let mut note = Note::new(TEXT).unwrap();
    note.sign(&peter);
    assert_eq!(note.to_string(), format!("{TEXT}\n{BY_PETER}"));
    // As a witness adds its signature, and once more.
    let enoch = SignerKey::from_seed("EnochRoot", [0; 32]).unwrap();
    assert_eq!(enoch.verifier().to_string(), ENOCH);
    note.sign(&enoch);
    note.sign(&enoch);
    assert_eq!(note.to_string(), format!("{TEXT}\n{BY_PETER}{BY_ENOCH}"));
}

#[test]
fn the_published_notes_verify() {
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    let note = Note::parse(&both).unwrap();
    assert_eq!((note.to_string(), note.text(), note.signatures().len()), (both, TEXT, 2));
    assert_eq!(note.verify(&[key(PETER)]).unwrap(), [&key(PETER)]);
    assert_eq!(note.verify(&[key(ENOCH), key(PETER)]).unwrap(), [&key(PETER), &key(ENOCH)]);
    let foo = key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let example = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert_eq!(Note::parse(example).unwrap().verify(&[foo]).unwrap().len(), 1);
    let error = note.verify(&[]).unwrap_err();
    assert!(matches!(&error, LogError::NotProven(why) if why.contains("PeterNeumann, EnochRoot")), "{error}");
}

#[test]
fn a_wrong_signature_of_a_known_key_spoils_the_note() {
    let swapped = BY_ENOCH.replace("EnochRoot", "PeterNeumann");
    let swapped = Note::parse(&format!("{TEXT}\n{BY_PETER}{swapped}")).unwrap();
    // Another id under a known name is a key that is not known.
    assert_eq!(swapped.verify(&[key(PETER)]).unwrap().len(), 1);
    let wrong = BY_PETER.replace("x08go/ZJ", "x08go/ZK");
    let note = Note::parse(&format!("{TEXT}\n{wrong}{BY_ENOCH}")).unwrap();
    assert_eq!(note.verify(&[key(ENOCH)]).unwrap().len(), 1);
    let error = note.verify(&[key(PETER), key(ENOCH)]).unwrap_err();
    assert_eq!(error.to_string(), "the signature of PeterNeumann is wrong");
}

#[test]
fn what_is_no_key_is_refused() {
    for cut in 0..PETER.len() {
        assert!(PETER[..cut].parse::<VerifierKey>().is_err());
    }
    for cut in 0..PETER_PRIVATE.len() {
        assert!(SignerKey::parse(&PETER_PRIVATE[..cut]).is_err());
    }
    for wrong in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumanx+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
    }
    let error = PETER_PRIVATE.parse::<VerifierKey>().unwrap_err().to_string();
    assert!(error.contains("private key") && !error.contains("AYEK"), "{error}");
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{7}b"] {
        assert!(SignerKey::generate(name).is_err(), "{name:?}");
    }
    assert!(!format!("{:?}", SignerKey::parse(PETER_PRIVATE).unwrap()).contains("AYEK"));
}

#[test]
fn what_is_no_note_is_refused() {
    let good = format!("{TEXT}\n{BY_PETER}");
    for wrong in [
        String::new(),
        TEXT.into(),
        format!("{TEXT}\n"),
        good.trim_end().into(),
        format!("{good}\n"),
        good.replace('—', "-"),
        good.replace("x08go", "x08g\u{7}o"),
        good.replace("If", "I\tf"),
        good.replace("x08go", "x08*o"),
        format!("{TEXT}\n— a+b AAAAAAA=\n"),
        format!("{TEXT}\n— a AAAA\n"),
        format!("{TEXT}\n{}", BY_PETER.repeat(101)),
    ] {
        assert!(matches!(Note::parse(&wrong), Err(LogError::Invalid(_))), "{wrong:?}");
    }
    assert_eq!(
        Note::parse(&format!("{TEXT}\n{}", BY_PETER.repeat(100))).unwrap().verify(&[key(PETER)]).unwrap().len(),
        1
    );
}

#[test]
fn the_published_checkpoint_is_read() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let published = format!(
        "{text}\n— example.com/behind-the-sofa \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    );
    let checkpoint = Checkpoint::parse_unsigned(&published).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.root[..4], [0x0a, 0xc5, 0x18, 0x6a]);
    assert_eq!(checkpoint.to_string(), text);
    assert_eq!(Checkpoint::parse_unsigned(text).unwrap(), checkpoint);
    assert!(matches!(Checkpoint::verified(&published, &[key(PETER)]), Err(LogError::NotProven(_))));
    assert!(matches!(Checkpoint::verified(text, &[key(PETER)]), Err(LogError::NotProven(_))));
    let extended = Checkpoint::parse_unsigned(&format!("{text}more\nstill more\n")).unwrap();
    assert_eq!(extended.extensions, ["more", "still more"]);
    assert_eq!(extended.to_string(), format!("{text}more\nstill more\n"));
}

/// A checkpoint of a log of certificates, and what a witness in use has signed of it; both are public.
#[test]
fn a_witness_is_believed_by_its_key() {
    let witness = key("witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G");
    let text = "coachandhorses2026h1.staging.certificate.transparency.goog\n185550722\n\
        YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=\n";
    let by_log = "— coachandhorses2026h1.staging.certificate.transparency.goog \
        MpXgsHy8ZwxXnO+WjtVrPxAzL49Rs1gWTkNVNeEa//5peAzaocRCB3qt3EaibjzY5GILLtGgBP7dBhgcSHy+JQh0OAc=\n";
    let by_witness = "— witness.navigli.sunlight.geomys.org \
        o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==\n";
    let note = format!("{text}\n{by_log}{by_witness}");
    let checkpoint = Checkpoint::verified(&note, std::slice::from_ref(&witness)).unwrap();
    assert_eq!(checkpoint.size, 185_550_722);
    // The time is signed with the rest, and so is each other byte; the line of the log is of no account.
    for at in (0..text.len()).chain(text.len() + 1 + by_log.len()..note.len()) {
        let mut changed = note.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed);
        assert!(
            changed.is_err() || Checkpoint::verified(&changed.unwrap(), std::slice::from_ref(&witness)).is_err(),
            "{at}"
        );
    }
    // Such a key signs checkpoints, and nothing else.
    let bytes = note_signature(&note);
    assert!(!witness.verifies(text.as_bytes(), &bytes) && !witness.verifies(text.as_bytes(), &bytes[8..]));
    assert!(SignerKey::parse(&format!("PRIVATE+KEY+{witness}")).is_err());
}

fn note_signature(note: &str) -> Vec<u8> {
    Note::parse(note).unwrap().signatures()[1].bytes.clone()
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for wrong in [
        String::new(),
        "\n".into(),
        format!("log\n7\n{root}"),
        format!("log\n07\n{root}\n"),
        format!("log\n+7\n{root}\n"),
        format!("log\n-7\n{root}\n"),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("\n7\n{root}\n"),
        "log\n7\n".into(),
        "log\n7\nAAAA\n".into(),
        format!("log\n7\n{}\n", root.trim_end_matches('=')),
        format!("log\n7\n{root}\r\n"),
        format!("log\n\n7\n{root}\n"),
    ] {
        assert!(matches!(Checkpoint::parse_unsigned(&wrong), Err(LogError::Invalid(_))), "{wrong:?}");
    }
    assert!(Checkpoint::new("", 0, [0; 32]).is_err());
    assert!(Checkpoint::new("a\nb", 0, [0; 32]).is_err());
}

#[test]
fn a_key_file_is_its_owners_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let key = SignerKey::generate("example.com/releases").unwrap();
    key.make(&file).unwrap();
    assert!(matches!(SignerKey::generate("x").unwrap().make(&file), Err(LogError::Io { .. })));
    assert_eq!(SignerKey::read(&file).unwrap().verifier(), key.verifier());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o777, 0o600);
    let keys = folder.path().join("keys");
    std::fs::write(&keys, format!("# ours\n\n{}\n  {PETER}\n", key.verifier())).unwrap();
    assert_eq!(VerifierKey::given(keys.to_str().unwrap()).unwrap().len(), 2);
    assert_eq!(VerifierKey::given(PETER).unwrap().len(), 1);
    assert!(VerifierKey::given(file.to_str().unwrap()).unwrap_err().to_string().contains("private key"));
    std::fs::write(&keys, "# none\n").unwrap();
    assert!(VerifierKey::given(keys.to_str().unwrap()).is_err());
}

proptest! {
    /// Whatever the log: the checkpoint is read back, and no changed byte of its text goes through.
    #[test]
    fn a_signed_checkpoint_stands_for_its_bytes(
        origin in "[a-z./ –-]{1,20}", size: u64, root: [u8; 32], seed: [u8; 32], at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let key = SignerKey::from_seed("example.com/log", seed).unwrap();
        let checkpoint = Checkpoint::new(origin, size, root).unwrap();
        let note = checkpoint.signed(&key).unwrap().to_string();
        let keys = [key.verifier()];
        prop_assert_eq!(&Checkpoint::verified(&note, &keys).unwrap(), &checkpoint);
        let mut changed = note.clone().into_bytes();
        changed[at.index(note.len())] ^= flip;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(Checkpoint::verified(&changed, &keys).is_err(), "{}", changed);
        }
    }

    #[test]
    fn nothing_panics(text in "(?s).{0,200}") {
        let _ = (Note::parse(&text), Checkpoint::parse_unsigned(&text), text.parse::<VerifierKey>(), SignerKey::parse(&text));
    }
}
