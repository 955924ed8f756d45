//! The `auth` function: accounts in GoTrue's dialect, for the platform's own users at `/auth/v1` and for every project's
//! end users at `/p/{ref}/auth/v1`, by one set of handlers. Which of the two a request is about is read from its path
//! by [`request::Asked`].

mod admin;
mod database;
mod health;
mod jwks;
mod later;
mod logout;
mod own;
mod problem;
mod request;
mod settings;
mod signup;
mod token;
mod user;

use axum::middleware::from_fn;
use plinth::web::Routes;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::{Required, schema};
use utoipa_axum::routes;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .nest("/auth/v1", gotrue())
        .nest("/p/{ref}/auth/v1", of_projects(gotrue().merge(admin()).merge(own())))
        .routes(routes!(database::sign_up))
        .routes(routes!(database::sign_in))
        .layer(from_fn(problem::as_gotrue))
}

fn gotrue() -> Routes {
    Routes::new()
        .routes(routes!(signup::sign_up))
        .routes(routes!(token::token))
        .routes(routes!(logout::logout))
        .routes(routes!(user::show, user::change))
        .routes(routes!(settings::settings))
        .routes(routes!(health::health))
        .routes(routes!(jwks::jwks))
        .routes(routes!(later::later))
}

/// Of projects only.
fn admin() -> Routes {
    Routes::new()
        .routes(routes!(admin::list, later::create_user))
        .routes(routes!(admin::show, later::change_user, admin::delete))
        .routes(routes!(admin::restore))
}

/// What end users may do about their own data. Platform users have `/api/gdpr`, where they see the plan first.
fn own() -> Routes {
    Routes::new()
        .routes(routes!(own::show_export, own::ask_export))
        .routes(routes!(own::erase))
}

/// The same operations once more in the document: with the `ref` of their paths, and ids of their own.
fn of_projects(mut routes: Routes) -> Routes {
    let reference = ParameterBuilder::new()
        .name("ref")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The project's ref"))
        .schema(Some(schema::Object::with_type(schema::Type::String)))
        .build();
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        item.parameters.get_or_insert_default().push(reference.clone().into());
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for id in operations
            .into_iter()
            .flatten()
            .filter_map(|operation| operation.operation_id.as_mut())
        {
            *id = format!("project_{id}");
        }
    }
    routes
}
