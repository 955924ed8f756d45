//! What columns are called that hold something of people, in several languages.

use std::collections::BTreeSet;

use super::Kind;
use super::types::Holds;

/// How sure a name makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// It means that wherever it stands.
    Strong,
    /// It may mean something else: it counts in a table that is of people.
    Weak,
}
use Strength::{Strong, Weak};

/// The words of a name, in lower case: of `firstName`, `first_name`, `FIRST-NAME` and `HTTPFirstName1`.
pub(in crate::subject) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let signs: Vec<char> = name.chars().collect();
    for (at, sign) in signs.iter().enumerate() {
        if !sign.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|before| signs[before]);
        let after = signs.get(at + 1);
        let rises = before.is_some_and(|before| before.is_lowercase() || before.is_numeric()) && sign.is_uppercase();
        // The last capital of several begins a word: `IPAddress`.
        let falls =
            before.is_some_and(char::is_uppercase) && sign.is_uppercase() && after.is_some_and(|c| c.is_lowercase());
        if rises || falls {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(sign.to_lowercase().map(plain));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Without its accent.
fn plain(sign: char) -> char {
    match sign {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// A word without its plural.
pub(in crate::subject) fn singular(word: &str) -> &str {
    match word {
        "people" => "person",
        _ => word
            .strip_suffix("ies")
            .unwrap_or_else(|| word.strip_suffix('s').unwrap_or(word)),
    }
}

/// Whether a table's name says that its rows are people.
pub(in crate::subject) fn is_of_people(word: &str) -> bool {
    let people = "user appuser customer client person people contact employee member patient guest profile author \
         subscriber lead student teacher participant attendee candidate applicant visitor player driver owner \
         tenant resident citizen donor volunteer recipient buyer seller account staff payee parent kid \
         children doctor passenger signup registration invitee kunde kunden benutzer nutzer mitarbeiter \
         mitglied mitglieder personen ansprechpartner kontakt kontakte patienten usuario cliente persona \
         empleado contacto miembro utilisateur personne adherent employe membre pessoa utente persone \
         gebruiker klant klanten uzytkownik klient";
    has(people, word) || has(people, singular(word))
}

/// Whether a table's name says that its rows are where something was.
pub(super) fn is_of_movement(name: &[String]) -> bool {
    let movement = "track tracking position location gps trip visit checkin ping route waypoint movement journey ride trace \
         standort position ubicacion recorrido trajet percorso";
    name.last()
        .is_some_and(|last| has(movement, last) || has(movement, singular(last)))
}

/// Whether a word is in a list of words.
pub(super) fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

/// What a column of that name holds, if its type lets it.
pub(super) fn of(words: &[String], holds: Holds) -> Option<(Kind, Strength)> {
    let last = words.last()?;
    let called = Called::new(words);
    if is_about(last)
        && !KEYS
            .iter()
            .any(|(_, _, _, keys)| keys.split_whitespace().any(|key| called.ends.contains(key)))
    {
        return None;
    }
    let held = KEYS.iter().filter(|(_, _, held, _)| held.contains(&holds));
    let mut named = held
        .filter(|(kind, strength, _, keys)| keys.split_whitespace().any(|key| called.matches(key, *kind, *strength)));
    named.next().map(|(kind, strength, _, _)| (*kind, *strength))
}

fn unnumbered(word: &str) -> String {
    match word.trim_end_matches(|sign: char| sign.is_ascii_digit()) {
        "" => word.to_owned(),
        plain => plain.to_owned(),
    }
}

/// A name as keys are looked for in it: with its numbers and without, since `phone2` is a phone.
struct Called {
    whole: BTreeSet<String>,
    /// Its last words, as many as there are.
    ends: BTreeSet<String>,
    /// Up to three words that follow each other.
    parts: BTreeSet<String>,
}

impl Called {
    fn new(words: &[String]) -> Self {
        let plain: Vec<String> = words.iter().map(|word| unnumbered(word)).collect();
        let mut called = Self {
            whole: BTreeSet::new(),
            ends: BTreeSet::new(),
            parts: BTreeSet::new(),
        };
        for words in [words, &plain] {
            called.whole.insert(words.concat());
            called.ends.extend((0..words.len()).map(|at| words[at..].concat()));
            for size in 1..=3 {
                called.parts.extend(words.windows(size).map(<[String]>::concat));
            }
        }
        called
    }

    /// Whether the name is the key, or has it among its words, in one or several. Short ones and those that may mean something
    /// else must come last.
    fn matches(&self, key: &str, kind: Kind, strength: Strength) -> bool {
        const SHORT: usize = 4;
        if kind == Kind::Name && strength == Weak {
            return self.whole.contains(key);
        }
        let ends = self.ends.contains(key);
        if strength == Weak || key.len() <= SHORT {
            return ends;
        }
        ends || self.parts.contains(key)
    }
}

/// Said of something, that is not the thing: `email_verified`, `phone_type`.
fn is_about(last: &str) -> bool {
    let about = "id count type kind status state enabled verified confirmed template format provider at on flag \
         required valid visible public size length width height version total limit quota subject domain \
         preference preferences opt optin expiry expires attempts";
    has(about, last)
}

/// Whether a text of that name is chosen by programs, not written by people.
pub(super) fn is_technical(words: &[String]) -> bool {
    let technical = "id uuid status state kind type slug code currency locale lang language timezone tz version role \
         level category color colour unit format mime sku hash checksum etag priority severity visibility \
         plan tier source channel provider method action event mode theme icon estado tipo sprache waehrung";
    words.last().is_some_and(|last| has(technical, last))
}

const TEXT: &[Holds] = &[Holds::Text, Holds::Json];
const TEXT_OR_BYTES: &[Holds] = &[Holds::Text, Holds::Json, Holds::Bytes];
const TEXT_OR_NUMBER: &[Holds] = &[Holds::Text, Holds::Json, Holds::Number];
const TEXT_OR_ADDRESS: &[Holds] = &[Holds::Text, Holds::Json, Holds::Address];
const DATES: &[Holds] = &[Holds::Date, Holds::Text, Holds::Number];
const PLACES: &[Holds] = &[Holds::Text, Holds::Json, Holds::Number, Holds::Place];

/// In the order in which they are tried: `email_address` is no address, `ip_address` neither.
const KEYS: &[(Kind, Strength, &[Holds], &str)] = &[
    (
        Kind::Credential,
        Strong,
        TEXT_OR_BYTES,
        "password passwd pwd passwordhash passworddigest passphrase encryptedpassword passwort kennwort \
         contrasena motdepasse senha wachtwoord haslo otpsecret totpsecret totp recoverycode recoverycodes \
         resettoken sessiontoken accesstoken refreshtoken privatekey securityanswer",
    ),
    (
        Kind::Email,
        Strong,
        TEXT,
        "email emails mail courriel epost emailaddress mailaddress correo correoelectronico emailadresse \
         mailadresse",
    ),
    (
        Kind::IpAddress,
        Strong,
        TEXT_OR_ADDRESS,
        "ip ipaddress ipaddr ipadresse clientip remoteip remoteaddr ipv4 ipv6 direccionip adresseip",
    ),
    (
        Kind::Device,
        Strong,
        TEXT,
        "deviceid macaddress useragent fingerprint advertisingid idfa gaid imei cookieid devicetoken \
         pushtoken",
    ),
    (
        Kind::Phone,
        Strong,
        TEXT_OR_NUMBER,
        "phone phones telephone mobile cellphone tel telefon telefono telefone handy handynummer \
         telefonnummer phonenumber mobilenumber fax msisdn whatsapp celular movil rufnummer mobiltelefon \
         mobilnummer cellulare telefoon numerotelephone faxnumber",
    ),
    (
        Kind::BirthDate,
        Strong,
        DATES,
        "birthdate birthday dob dateofbirth birth birthyear yearofbirth geburtsdatum geburtstag \
         fechanacimiento fechadenacimiento nacimiento datenaissance datedenaissance naissance datanascimento \
         nascimento datadinascita nascita geboortedatum dataurodzenia",
    ),
    (
        Kind::NationalId,
        Strong,
        TEXT_OR_NUMBER,
        "ssn socialsecurity socialsecuritynumber nationalid nationalidnumber passport passportnumber \
         passportno taxid taxnumber tin steuernummer steuerid sozialversicherungsnummer svnr ausweisnummer \
         personalausweis dni nie nif cpf curp nino bsn pesel personnummer fodselsnummer aadhaar aadhar \
         driverslicense driverlicense drivinglicence identitycard nationalinsurance codicefiscale cedula \
         insurancenumber healthid medicarenumber numerosecuritesociale",
    ),
    (
        Kind::Bank,
        Strong,
        TEXT_OR_NUMBER,
        "iban bic bankaccount routingnumber sortcode creditcard cardnumber ccnumber cardno cvv cvc last4 \
         cardlast4 kontonummer bankverbindung bankleitzahl blz kreditkarte numerotarjeta tarjeta \
         cartebancaire accountholder cardholder bankaccountnumber",
    ),
    (
        Kind::Name,
        Strong,
        TEXT,
        "firstname lastname fullname surname givenname familyname middlename forename displayname nickname \
         maidenname vorname nachname familienname prenom apellido apellidos primernombre cognome sobrenome \
         voornaam achternaam imie nazwisko realname contactname customername clientname recipientname \
         ownername authorname personname patientname employeename guestname attendeename membername \
         studentname holdername legalname sendername nombrecompleto nomcomplet nomecompleto contactperson \
         ansprechpartner kundenname",
    ),
    (
        Kind::Username,
        Strong,
        TEXT,
        "username loginname screenname benutzername nutzername nombreusuario nomutilisateur userlogin \
         telegram twitter instagram linkedin facebook github",
    ),
    (
        Kind::Address,
        Strong,
        TEXT,
        "streetaddress street homeaddress postaladdress shippingaddress billingaddress deliveryaddress \
         mailingaddress addressline address1 address2 addressline1 addressline2 strasse straße hausnummer \
         adresse anschrift direccion domicilio calle endereco indirizzo streetname housenumber address adres",
    ),
    (
        Kind::Picture,
        Strong,
        TEXT_OR_BYTES,
        "avatar avatarurl profilepicture profileimage profilephoto selfie headshot portrait passfoto \
         profilbild",
    ),
    (
        Kind::Trait,
        Strong,
        TEXT,
        "religion ethnicity maritalstatus familienstand bloodtype diagnosis diagnose disability \
         sexualorientation nationality staatsangehoerigkeit nacionalidad medicalhistory allergies",
    ),
    (
        Kind::Location,
        Weak,
        PLACES,
        "latitude longitude lat lng lon geolocation gps coordinates coords location standort ubicacion",
    ),
    (Kind::Trait, Weak, TEXT, "gender sex geschlecht genero sexe pronouns"),
    (
        Kind::Name,
        Weak,
        TEXT,
        "name nom nombre nome naam recipient salutation anrede initials",
    ),
    (Kind::Username, Weak, TEXT, "login handle usuario utilisateur"),
    (
        Kind::Address,
        Weak,
        TEXT_OR_NUMBER,
        "city zip zipcode postcode postalcode town plz ort wohnort ciudad ville codepostal codigopostal cap \
         cidade citta rue",
    ),
    (
        Kind::Credential,
        Weak,
        TEXT_OR_BYTES,
        "token secret apikey otp pin salt",
    ),
    (
        Kind::Picture,
        Weak,
        TEXT_OR_BYTES,
        "photo photourl picture foto image imageurl",
    ),
    (
        Kind::FreeText,
        Strong,
        TEXT,
        "bio biography about aboutme note notes comment comments message body content remarks remark feedback \
         review reply memo notiz notizen kommentar nachricht bemerkung mensaje comentario nota notas \
         observaciones commentaire remarque transcript description beschreibung text answer",
    ),
];
