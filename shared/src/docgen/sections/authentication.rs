//! Keys and users.

use std::fmt::Write as _;

use crate::docgen::code::{PUBLISHABLE, SECRET};
use crate::docgen::escape::cell;
use crate::docgen::facts::AuthFacts;
use crate::docgen::render::Context;

pub(super) fn body(context: &Context<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Every request carries a key in the `apikey` header (supabase-js sends it by itself): a publishable one \
         (`{PUBLISHABLE}`) in apps, a secret one (`{SECRET}`) on servers. A secret key sent by a browser is refused with 403 \
         `keys/secret-in-browser`.\n"
    );
    out.push_str("| Request | Acts as |\n| --- | --- |\n");
    out.push_str("| publishable key alone | nobody in particular: what everybody may do |\n");
    if context.facts.auth.offered || context.facts.auth.outside {
        out.push_str("| publishable key and `Authorization: Bearer <user's token>` | that signed-in user |\n");
    }
    out.push_str("| secret key | the project itself, past all rules |\n\n");
    let auth = &context.facts.auth;
    if auth.outside {
        out.push_str(
            "Users sign in with the owner's own issuer; its tokens go into the `Authorization` header and name the \
             database role that a request runs as.\n\n",
        );
    }
    if auth.offered {
        users(&mut out, context, auth);
    }
    out
}

fn users(out: &mut String, context: &Context<'_>, auth: &AuthFacts) {
    let url = format!("{}/auth/v1", context.facts.project.url);
    let _ = writeln!(out, "### Users of the app\n\nUsers sign in under {}:\n", cell(&url));
    out.push_str("| Request | What it does |\n| --- | --- |\n");
    if auth.sign_up {
        out.push_str("| `POST /signup` with `email`, `password` | signs up |\n");
    }
    out.push_str(
        "| `POST /token?grant_type=password` with `email`, `password` | signs in |\n\
         | `POST /token?grant_type=refresh_token` with `refresh_token` | gets a new access token |\n\
         | `GET /user` | who is signed in |\n\
         | `PUT /user` with `password` or `data` | changes the password or what is known of the user |\n\
         | `POST /logout` | signs out |\n\n",
    );
    let _ = writeln!(
        out,
        "Passwords have at least {} characters. An access token is a JWT (ES256; its public keys are at \
         `/.well-known/jwks.json` there) that lives for {}; supabase-js renews it by itself.{}\n",
        auth.password_length,
        duration(auth.token_seconds),
        if auth.autoconfirm {
            ""
        } else {
            " A new address must be confirmed before its user can sign in."
        }
    );
    if auth.sign_up && auth.autoconfirm {
        let _ = writeln!(out, "{}", sign_in(&context.facts.project.url));
    }
}

fn sign_in(url: &str) -> String {
    let quoted = format!("'{}'", url.replace(['\\', '\''], ""));
    format!(
        "```js
import {{ createClient }} from '@supabase/supabase-js'

const supabase = createClient({quoted}, process.env.{PUBLISHABLE})
const email = `ada.${{Date.now()}}@example.com`
const password = 'correct horse battery'

const up = await supabase.auth.signUp({{ email, password }})
if (up.error) throw up.error

const signedIn = await supabase.auth.signInWithPassword({{ email, password }})
if (signedIn.error) throw signedIn.error
console.log('signed in as', signedIn.data.user.id)
```"
    )
}

fn duration(seconds: u64) -> String {
    match seconds {
        3600 => "one hour".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} hours", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        _ => format!("{seconds} seconds"),
    }
}
